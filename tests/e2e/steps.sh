#!/usr/bin/env bash
# Work that is divided is done step by step, and what it was divided into ends with it.
. "$(dirname "$0")/world.sh"
make_repository shop
up
make_town shop

work='town mol current --get title > "$TOWN_BEAD.1"
town mol advance --summary "the first is done" | grep -q "Step 2 of 2" || exit 1
town mol current --get title > "$TOWN_BEAD.2"
echo "so is the second" | town mol advance --summary - | grep -q "last step" || exit 1
town mol current > /dev/null 2>&1 && exit 1
git add -A; git commit -qm work -m "Bead: $TOWN_BEAD"; town done'
bead=$(sling "In two steps" "$work" --held)
printf '[[step]]\ntitle = "Write the test"\ninstructions = "in tests"\n[[step]]\ntitle = "Make it pass"\n' > "$world/steps.toml"
molecule=$(town mol create "$bead" --file "$world/steps.toml" --get bead_id) || fail "cannot divide $bead"
step=$(town show "$molecule" --get children.0)
town why "$step" | grep -q "0 of 2 steps of $bead (open) are done" || fail "why has no word about a step: $(town why "$step")"
town mol create "$bead" --step again > "$world/out" 2>&1; [ $? -eq 4 ] || fail "divided twice: $(cat "$world/out")"
town start "$bead" > /dev/null || fail "cannot start"
ends "$bead" closed
is "$molecule" closed || fail "the molecule is left: $(town show "$molecule")"
for place in 1 2; do
  git -C "$world/shop" show "main:$bead.$place" > "$world/title.$place" || fail "no step $place was seen"
done
[ "$(cat "$world"/title.*)" = "$(printf 'Write the test\nMake it pass')" ] || fail "other steps: $(cat "$world"/title.*)"

given_up=$(sling "Never done" 'town fail --reason "no"' --held)
left=$(town mol create "$given_up" --step one --step two --get bead_id) || fail "cannot divide $given_up"
town start "$given_up" > /dev/null || fail "cannot start"
ends "$given_up" failed
ends "$left" failed

printf 'title = "Later"\nstaged = true\n[[task]]\ntitle = "Only one"\n' > "$world/c.toml"
convoy=$(town convoy new "$world/c.toml" --get convoy.id) || fail "no convoy"
town convoy update "$convoy" --mode review-and-merge --branch plan/b | grep -q "review-and-merge, branch plan/b" ||
  fail "the convoy is not changed: $(town convoy status "$convoy")"
town convoy close "$convoy" > /dev/null || fail "cannot close"
town convoy update "$convoy" --mode review-then-land > "$world/out" 2>&1; [ $? -eq 4 ] || fail "changed what is closed"

town config set town.runs_per_day 2 > /dev/null || fail "cannot set the budget"
town status | grep -q "Left: .* 0 of 2 runs a day" || fail "status does not say what is left: $(town status)"
town escalations | grep -q budget_runs_per_day || fail "nobody is asked: $(town escalations)"
waits=$(sling "Waits for the budget" true)
town why "$waits" | grep -qi budget || fail "why does not say that the budget is spent: $(town why "$waits")"
