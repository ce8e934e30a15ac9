#!/usr/bin/env bash
# The demo lands six of six in under 45 s and leaves nothing.
. "$(dirname "$0")/world.sh"
export TMPDIR="$world/tmp"
mkdir -p "$TMPDIR"
env -u HOME -u GIT_CONFIG_NOSYSTEM TMPDIR="$TMPDIR" town demo < /dev/null > "$world/demo.out" 2>&1 || { cat "$world/demo.out"; fail "the demo failed"; }
cat "$world/demo.out"
[ "$(tail -n 1 "$world/demo.out")" = "convoy landed: 6 of 6" ] || fail "the last line is: $(tail -n 1 "$world/demo.out")"
seconds=$(sed -n 's/^took \([0-9]*\)\..*/\1/p' "$world/demo.out")
[ "$seconds" -lt 45 ] || fail "it took $seconds s"
[ "$(grep -c 'came back' "$world/demo.out")" -ge 2 ] || fail "nothing came back"
[ -z "$(ls -A "$TMPDIR")" ] || fail "left behind: $(ls -A "$TMPDIR")"
