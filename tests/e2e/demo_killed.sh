#!/usr/bin/env bash
# A demo whose townd is killed with -9 in the middle goes on and lands.
. "$(dirname "$0")/world.sh"
export TMPDIR="$world/tmp"
mkdir -p "$TMPDIR"
exec {demo}< <(town demo < /dev/null 2>&1; echo "it ended with $?")
# says WORDS: reads on until the demo has said them.
says() {
  while read -r -t 120 -u "$demo" line; do
    echo "$line" >> "$world/demo.out"
    case $line in *"$1"*) return 0 ;; esac
  done
  cat "$world/demo.out"
  fail "the demo does not say: $1"
}
says 'is merged'
killed=$(pgrep -o -f "^$TOWN_BIN/townd --data $TMPDIR/") || fail "no townd of the demo"
kill -9 "$killed"
says 'it ended with'
grep -q 'townd is gone; starting it again' "$world/demo.out" || fail "the demo did not notice: $(cat "$world/demo.out")"
[ "$(tail -n 2 "$world/demo.out" | tr '\n' ';')" = "convoy landed: 6 of 6;it ended with 0;" ] ||
  fail "it did not land: $(cat "$world/demo.out")"
[ -z "$(ls -A "$TMPDIR")" ] || fail "left behind: $(ls -A "$TMPDIR")"
