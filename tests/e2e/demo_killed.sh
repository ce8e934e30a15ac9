#!/usr/bin/env bash
# A demo whose townd is killed with -9 in the middle goes on and lands.
. "$(dirname "$0")/world.sh"
export TMPDIR="$world/tmp"
mkdir -p "$TMPDIR"
town demo < /dev/null > "$world/demo.out" 2>&1 &
demo=$!
within 60 grep -q 'is merged' "$world/demo.out" || { cat "$world/demo.out"; fail "the demo does not move"; }
killed=$(pgrep -f "^$TOWN_BIN/townd --data $TMPDIR/") || fail "no townd of the demo"
kill -9 "$killed"
wait $demo || { cat "$world/demo.out"; fail "the demo failed"; }
grep -q 'townd is gone; starting it again' "$world/demo.out" || fail "the demo did not notice"
[ "$(tail -n 1 "$world/demo.out")" = "convoy landed: 6 of 6" ] || fail "the last line is: $(tail -n 1 "$world/demo.out")"
[ -z "$(ls -A "$TMPDIR")" ] || fail "left behind: $(ls -A "$TMPDIR")"
