#!/usr/bin/env bash
# A done that comes after its run has ended counts, unless another run has taken the work over.
. "$(dirname "$0")/world.sh"
make_repository shop
printf 'max_dispatch_attempts = 3\n' >> "$world/townd.toml"
up
make_town shop
# What it takes to say done from outside: the run's own environment and what it has committed.
remember='env | grep "^TOWN_" > "$HOME/env"; git rev-parse HEAD > "$HOME/commit"'
work='echo $TOWN_ATTEMPT > $TOWN_BEAD; git add -A; git commit -qm work -m "Bead: $TOWN_BEAD"'
# say_done RUN: as RUN would have said it.
say_done() {
  local home="$TOWND_DATA/homes/$1/home"
  (cd / && env $(cat "$home/env") town done --commit "$(cat "$home/commit")") > "$world/said" 2>&1
}
run_has() { [ "$(town show "$1" --get "runs.$2.state")" = "$3" ]; }

late=$(sling "Says done when it is over" "$work; $remember")
within 30 run_has "$late" 0 ended || fail "its run does not end: $(town why "$late")"
is "$late" in_progress || fail "it is $(status_of "$late") without a done"
say_done "$(runs_of "$late")" || fail "a late done is refused: $(cat "$world/said")"
ends "$late" closed
[ "$(runs_of "$late" | wc -l)" = 1 ] || fail "somebody else was sent: $(town show "$late" --json)"

taken=$(sling "Is done by the second run" "$work; $remember
if [ \$TOWN_ATTEMPT = 1 ]; then kill -9 \$\$; fi
$waits; town done")
within 60 run_has "$taken" 1 running || fail "there is no second run: $(town why "$taken")"
old=$(runs_of "$taken" | head -n 1)
go_on() { waiting "$taken"; }
within 30 go_on || fail "the second run does not work: $(town why "$taken")"
say_done "$old"
is "$taken" in_progress || fail "the done of an old run made it $(status_of "$taken"): $(cat "$world/said")"
[ "$(town show "$taken" --get requests)" = '[]' ] || fail "the done of an old run was handed in: $(town show "$taken" --json)"
go "$taken"
ends "$taken" closed
[ "$(git -C "$world/shop" show "main:$taken")" = 2 ] || fail "main has not got the work of the second run"

# Said once more when all is over, it changes nothing either.
say_done "$old"
say_done "$(runs_of "$taken" | tail -n 1)"
say_done "$(runs_of "$late")"
last=$(sling "Afterwards" "$work; town done")
ends "$last" closed
for id in "$late" "$taken" "$last"; do
  is "$id" closed || fail "$id is $(status_of "$id") after another done"
  [ "$(merges_of shop "$id")" = 1 ] || fail "$id was merged $(merges_of shop "$id") times"
done
