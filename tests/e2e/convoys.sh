#!/usr/bin/env bash
# Convoys land in each of their rigs, wait for a person when a piece has failed unless told otherwise, change while they run, and end their runs when they are closed.
. "$(dirname "$0")/world.sh"
make_repository shop
make_repository lib
up
make_town shop
town rig add "$world/lib" --name lib --gate "sh test.sh" --preset tester > /dev/null || fail "no second rig"
work() { echo "echo $1 > $1; git add -A; git commit -qm work -m \\\"Bead: \$TOWN_BEAD\\\"; town done"; }
# convoy TITLE MORE TASKS…: each task is `name rig body`; prints its id.
convoy() {
  {
    printf 'title = "%s"\nrig = "shop"\n%s\n' "$1" "$2"
    for task in "${@:3}"; do
      read -r name rig body <<< "$task"
      printf '[[task]]\nname = "%s"\ntitle = "%s"\nrig = "%s"\nbody = "%s"\n' "$name" "$name" "$rig" "$body"
    done
  } > "$world/plan.toml"
  town convoy new "$world/plan.toml" --get convoy.id || fail "no convoy: $(cat "$world/plan.toml")"
}
has() { git -C "$world/$1" cat-file -e "main:$2" 2> /dev/null; }
bead_of() { town beads --json --limit 500 | grep -o '"bead_id":"[^"]*"[^{}]*"title":"'"$1"'"' | cut -d '"' -f 4 | head -n 1; }
waits_for() { town why "$1" | grep -q "$2"; }

both=$(convoy "Both" "" "one shop $(work one)" "two lib $(work two)")
ends "$both" closed 90
has shop one && has lib two || fail "$both is closed, but its work is not on both targets"
has shop two && fail "two is in the wrong repository"
landings=$(town beads --type merge_request --json --limit 500 | grep -o '"title":"Review: convoy/both/[^"]*/head"' | wc -l)
[ "$landings" = 2 ] || fail "$landings landing requests for two rigs"

held=$(convoy "Held" "" "three shop $(work three)" "four shop town fail --reason no")
within 60 waits_for "$held" 'failed' || fail "it says: $(town why "$held")"
within 60 is "$(bead_of three)" closed || fail "three is $(status_of "$(bead_of three)")"
has shop three && fail "a convoy landed of which a piece has failed"
town status | grep -q "$held" || fail "nobody is asked about $held: $(town status)"
town convoy remove "$held" "$(bead_of four)" > /dev/null || fail "four stays in it"
ends "$held" closed
has shop three || fail "three has not landed"

goes_on=$(convoy "Goes on" 'on_failed_child = "go_on"' "five shop $(work five)" "six shop town fail --reason no")
ends "$goes_on" closed 90
has shop five || fail "five has not landed"
failed=$(convoy "Fails" 'on_failed_child = "fail"' "seven shop $(work seven)" "eight shop town fail --reason no")
ends "$failed" failed 90
has shop seven && fail "a convoy that has failed landed"

changed=$(convoy "Changed" 'merge_mode = "review-and-merge"' "nine shop $(work nine)")
ten=$(sling "ten" "$(work ten | tr -d '\\')" --held --rig shop)
town convoy add "$changed" "$ten" > /dev/null || fail "ten is not taken in"
[ "$(town show "$changed" --get convoy.total_beads 2> /dev/null || town convoy status "$changed" --get total_beads)" = 2 ] ||
  fail "it has not two pieces: $(town convoy status "$changed")"
town start "$ten" > /dev/null || fail "ten is not started"
ends "$changed" closed 90
has shop nine && has shop ten || fail "$changed is closed without its work"

nap=4$$  # nobody else sleeps so long
closed=$(convoy "Closed" "" "eleven shop sleep $nap")
eleven=$(bead_of eleven)
running() { [ -n "$(runs_of "$eleven")" ] && [ -d "$(clone_of "$eleven")/.git" ] && pgrep -f "sleep $nap" > /dev/null; }
within 60 running || fail "eleven does not run"
town convoy close "$closed" > /dev/null || fail "it is not closed"
is "$closed" closed || fail "it is $(status_of "$closed")"
gone() { ! pgrep -f "sleep $nap" > /dev/null; }
within 60 gone || fail "its run goes on"
is "$eleven" failed || is "$eleven" closed || fail "eleven is $(status_of "$eleven")"
