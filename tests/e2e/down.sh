#!/usr/bin/env bash
# Agents at work go on while townd is down, and none is stopped or started a second time.
. "$(dirname "$0")/world.sh"
make_repository shop
up
make_town shop
work='echo $TOWN_RUN > $TOWN_BEAD; git add -A; git commit -qm work -m "Bead: $TOWN_BEAD"; town done'
stays=$(sling "Is at work all the time" "$waits; $work")
ends_then=$(sling "Ends while townd is down" "$waits; $work")
dies_then=$(sling "Dies while townd is down" "[ \$TOWN_ATTEMPT = 2 ] || { $waits; kill -9 \$\$; }; $work")
for id in "$stays" "$ends_then" "$dies_then"; do
  within 60 waiting "$id" || fail "$id is not worked on: $(town why "$id")"
done
dying=$(clone_of "$dies_then") ending=$(clone_of "$ends_then")
town down > /dev/null || fail "townd does not end"
pgrep -f "^$TOWN_BIN/townd --data $TOWND_DATA" && fail "townd is still there"
for clone in "$dying" "$ending"; do
  timeout 30 sh -c 'echo go > "$0/.git/go"' "$clone" || fail "the agent in $clone has gone with townd"
done
# Its agent cannot be heard now; git says when it has come to its done.
committed() { [ "$(git -C "$ending" log -1 --format=%s)" = work ]; }
towns=()
within 30 committed || fail "the agent does not work without townd"
towns=(shop)
up
ends "$ends_then" closed
ends "$dies_then" closed
is "$stays" in_progress || fail "$stays is $(status_of "$stays")"
go "$stays"
ends "$stays" closed
for id in "$stays" "$ends_then"; do
  [ "$(runs_of "$id" | wc -l)" = 1 ] || fail "$id was started again: $(town show "$id" --json)"
done
[ "$(runs_of "$dies_then" | wc -l)" = 2 ] || fail "$dies_then has other runs: $(town show "$dies_then" --json)"
for id in "$stays" "$ends_then" "$dies_then"; do
  [ "$(merges_of shop "$id")" = 1 ] || fail "$id was merged $(merges_of shop "$id") times"
done
