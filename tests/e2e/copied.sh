#!/usr/bin/env bash
# A daemon on a copy of the data folder leaves the agents of the original at their work.
. "$(dirname "$0")/world.sh"
make_repository shop
up
make_town shop
bead=$(sling "Waits" "$waits; echo a > a; git add a; git commit -qm a -m \"Bead: \$TOWN_BEAD\"; town done")
at_work() { waiting "$bead"; }
within 30 at_work || fail "nobody works: $(town why "$bead")"
cp -a "$TOWND_DATA" "$world/copy"
rm -f "$world/copy/listen"
town up --data "$world/copy" --listen 127.0.0.1:0 > "$world/said" 2>&1 || fail "no daemon on the copy: $(cat "$world/said")"
over() { [ "$(town show "$bead" --data "$world/copy" --get runs.0.state)" = ended ]; }
within 30 over || fail "the copy takes the original's run for its own: $(town show "$bead" --data "$world/copy" --json)"
town down --stop-agents --data "$world/copy" > "$world/said" 2>&1 || fail "the copy's daemon does not end: $(cat "$world/said")"
[ "$(town show "$bead" --get runs.0.state)" = running ] || fail "the original's run is over: $(town show "$bead" --json)"
go "$bead"
ends "$bead" closed
[ "$(runs_of "$bead" | wc -l)" = 1 ] || fail "somebody else had to do it"
