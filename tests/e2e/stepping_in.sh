#!/usr/bin/env bash
# Cancelled, held, staged, paused and drained work stops and goes on as a person says.
. "$(dirname "$0")/world.sh"
make_repository shop
up
make_town shop
work='echo $TOWN_BEAD > $TOWN_BEAD; git add -A; git commit -qm work -m "Bead: $TOWN_BEAD"; town done'
marked="sleep 9$$$RANDOM"   # like no other process of this machine

hangs=$(sling "Never ends" "$marked & $marked")
within 30 pgrep -f "^$marked" || fail "nobody works: $(town why "$hangs")"
town cancel "$hangs" > /dev/null || fail "cannot cancel"
ends "$hangs" failed
idle() { ! town agents --status working --json | grep -q agent_id && ! pgrep -f "^$marked"; }
within 60 idle || fail "the agent of a cancelled bead goes on: $(pgrep -af "^$marked")"
town reopen "$hangs" > /dev/null || fail "cannot reopen"
town reopen "$hangs" > "$world/out" 2>&1; [ $? -eq 4 ] || fail "reopened what is open: $(cat "$world/out")"
town cancel "$hangs" > /dev/null || fail "cannot cancel again"

held=$(sling "Held" "$work" --held)
first=$(sling "First" "$work")
second=$(sling "Second" "$work" --after "$first")
ends "$second" closed
is "$held" open || fail "held work was started"
town why "$held" | grep -qi held || fail "why does not say that it is held: $(town why "$held")"

printf 'title = "Later"\nstaged = true\n[[task]]\ntitle = "Only one"\nbody = '"'''"'%s'"'''"'\n' "$work" > "$world/c.toml"
convoy=$(town convoy new "$world/c.toml" --get convoy.id) || fail "no convoy"
staged=$(town convoy status "$convoy" --get beads.0.bead_id)
town pause --reason "for the test" > /dev/null || fail "cannot pause"
town status | grep -q "for the test" || fail "status does not say why it is paused"
town convoy start "$convoy" > /dev/null || fail "cannot start"
town why "$staged" | grep -qi paused || fail "why does not say that the town is paused: $(town why "$staged")"
is "$staged" open || fail "paused work was started"
town resume > /dev/null || fail "cannot resume"
ends "$staged" closed
ends "$convoy" closed

busy=$(sling "At work when the drain begins" "$waits; $work")
within 30 waiting "$busy" || fail "nobody works: $(town why "$busy")"
town drain > /dev/null || fail "cannot drain"
go "$busy"
ends "$busy" in_review
drained=$(sling "While draining" "$work")
town why "$drained" | grep -qi drain || fail "why does not say that it drains: $(town why "$drained")"
is "$drained" open || fail "work was started in a drain"
is "$busy" in_review || fail "its merge was tried in a drain: $(town why "$busy")"
town drain --end > /dev/null || fail "cannot end the drain"
ends "$drained" closed
ends "$busy" closed
for id in "$first" "$second" "$staged" "$busy" "$drained"; do
  [ "$(merges_of shop "$id")" = 1 ] || fail "$id was merged $(merges_of shop "$id") times"
done
