#!/usr/bin/env bash
# What happened is decided again alike, and otherwise where something is changed.
. "$(dirname "$0")/world.sh"
moment() { date -u +%Y-%m-%dT%H:%M:%S.%3NZ; }
make_repository shop
up
make_town shop
# A new town's first snapshot is there at once; the past begins with it.
until town show shop --at "$(moment)" > /dev/null 2>&1; do hear_news; done
id=$(sling "Write two" 'echo two >> file; git commit -qam "Two" -m "Bead: $TOWN_BEAD"; town done --summary "two is there"')
ends "$id" closed
created=$(town show "$id" --get created_at)
ended=$(moment)
town replay --from "$created" --to "$ended" > "$world/again" || fail "replay: $(cat "$world/again")"
grep -q "^matches: " "$world/again" || fail "it does not match: $(cat "$world/again")"
grep "$id" "$world/again" | grep -q beads.assign || fail "no word about who got the bead: $(cat "$world/again")"
[ "$(town replay --from "$created" --to "$ended" --get matches)" = true ] || fail "matches is not a member"
# Without the rule that gives work out, or without the bead, there is nothing to do.
town replay --from "$created" --to "$ended" --without-rule beads.assign > "$world/without" || fail "without a rule: $(cat "$world/without")"
grep "$id" "$world/without" | grep -q "closed.*open" || fail "the bead does not end as open: $(cat "$world/without")"
first=$(town log --json --from "$created" | grep bead_created | grep -o '"seq":[0-9]*' | head -n 1)
town replay --from "$created" --to "$ended" --drop "${first#*:}" --json > "$world/dropped" || fail "without the bead: $(cat "$world/dropped")"
grep -q '"instead":null' "$world/dropped" || fail "the bead is there although nobody gave it: $(cat "$world/dropped")"
town replay --from "$created" --to "$ended" --set town.max_polecats=3 > "$world/set" || fail "with a setting: $(cat "$world/set")"
grep -q "decided the same" "$world/set" || fail "three agents instead of two changed one bead's way: $(cat "$world/set")"
# Then and now.
[ "$(town show "$id" --at "$created" --get status)" != closed ] || fail "it was closed before it began"
[ "$(town show "$id" --at "$ended" --get status)" = closed ] || fail "it is not closed at the end"
town why "$id" --at "$created" > "$world/why" || fail "why: $(cat "$world/why")"
town diff --from "$created" --to "$ended" > "$world/changes" || fail "diff: $(cat "$world/changes")"
grep -q "bead $id.*new, closed" "$world/changes" || fail "the diff does not say that it closed: $(cat "$world/changes")"
# What is no stretch of the past.
expect() { # CODE WORD ARGUMENTS…
  local code=$1 word=$2
  shift 2
  town "$@" > "$world/answer" 2>&1
  [ $? = "$code" ] || fail "town $*: not $code: $(cat "$world/answer")"
  grep -q -- "$word" "$world/answer" || fail "town $*: no \"$word\" in $(cat "$world/answer")"
}
expect 2 "later than" replay --from "$ended" --to "$created"
expect 2 "has not come yet" replay --from "$ended" --to 2999-01-01T00:00:00Z
expect 2 "time" replay --from yesterday --to "$ended"
expect 2 "--from" replay --to "$ended"
expect 3 "earliest" replay --from 2020-01-01T00:00:00Z --to 2020-01-02T00:00:00Z
expect 2 "beads.assign" replay --from "$created" --to "$ended" --without-rule beads.assing
expect 3 "town.max_polecats" replay --from "$created" --to "$ended" --set town.max_polecat=1
expect 2 "KEY=VALUE" replay --from "$created" --to "$ended" --set town.max_polecats
expect 3 "nothing was called" show nobody-1 --at "$ended"
expect 2 "both" diff --from "$created"
# One file for somebody else, with no daemon.
town bundle "$id" --output "$world/it.bundle" > "$world/made" || fail "bundle: $(cat "$world/made")"
[ "$(town bundle "$id" --output "$world/it.bundle" --get file)" = "$world/it.bundle" ] || fail "bundle does not say where it is"
alone() { env -i PATH="$PATH" HOME="$world/nowhere" "$TOWN_BIN/town" "$@"; } # another machine
alone replay --snapshot "$world/it.bundle" > "$world/again" || fail "a bundle's replay: $(cat "$world/again")"
grep -q "^matches: " "$world/again" || fail "the bundle does not match: $(cat "$world/again")"
grep "$id" "$world/again" | grep -q beads.assign || fail "the bundle says no word about who got the bead"
alone replay --snapshot "$world/it.bundle" --without-rule beads.assign | grep "$id" | grep -q "closed.*open" || fail "no what-if in a bundle"
printf '[town]\nmax_polecats = 3\n[reconciler]\nlost_agent = "10m"\n[server]\nlisten = "127.0.0.1:1"\n' > "$world/other.toml"
alone replay --snapshot "$world/it.bundle" --config "$world/other.toml" | grep -q "decided the same" || fail "other settings in a bundle"
town replay --from "$created" --to "$ended" --config "$world/other.toml" | grep -q "decided the same" || fail "other settings from a file"
[ "$(alone why "$id" --snapshot "$world/it.bundle" --get status)" = closed ] || fail "why of a bundle's end"
[ "$(alone why "$id" --snapshot "$world/it.bundle" --at "$created" --get status)" != closed ] || fail "why of a bundle's beginning"
alone plan --snapshot "$world/it.bundle" > "$world/plan" || fail "plan of a bundle: $(cat "$world/plan")"
# Ticks as a thing to look at.
assigned=$(town ticks --rule beads.assign --bead "$id" --json | grep -o '"tick":[0-9]*' | head -n 1)
assigned=${assigned#*:}
[ -n "$assigned" ] || fail "no tick gave $id to anybody: $(town ticks)"
town ticks "$assigned" > "$world/tick" || fail "ticks $assigned: $(cat "$world/tick")"
grep -q "beads.assign  $id" "$world/tick" || fail "the tick does not say what it decided: $(cat "$world/tick")"
grep -q "effect start_agent.*done" "$world/tick" || fail "the tick does not say what came of it: $(cat "$world/tick")"
grep -q "took .*reconcile" "$world/tick" || fail "the tick does not say how long it took: $(cat "$world/tick")"
[ "$(town ticks --violations --json)" = "[]" ] || fail "something was refused: $(town ticks --violations)"
town bundle --tick "$assigned" --output "$world/tick.bundle" > /dev/null || fail "bundle of a tick"
alone replay --snapshot "$world/tick.bundle" --json | grep -q "\"tick\":$assigned" || fail "the tick is not in its bundle"
# What comes next, and by when.
town plan --at 2999-01-01T00:00:00Z > "$world/plan" || fail "plan far ahead: $(cat "$world/plan")"
grep -q "gc_agents\|gc\." "$world/plan" || fail "in a thousand years nothing is cleaned up: $(cat "$world/plan")"
expect 2 "one thing" bundle
expect 2 "one thing" bundle "$id" --tick 3
expect 3 "no record" bundle --tick 99999999
expect 3 "nothing in this town" bundle shop-99999
expect 3 "no tick" bundle --last-violation
expect 2 "beads.assign" ticks --rule beads.assing
expect 3 "begins later" why "$id" --snapshot "$world/it.bundle" --at 2020-01-01T00:00:00Z
expect 3 "cannot read" replay --snapshot "$world/none.bundle"
zstd -dcq "$world/it.bundle" 2> /dev/null | sed 's|town-bundle/1|town-bundle/9|' > "$world/new.bundle"
[ -s "$world/new.bundle" ] || printf '{"format":"town-bundle/9"}' > "$world/new.bundle"
expect 2 "newer townd" replay --snapshot "$world/new.bundle"
printf '[reconciler]\nlost_agnt = "10m"\n' > "$world/typo.toml"
expect 2 "lost_agent" replay --snapshot "$world/it.bundle" --config "$world/typo.toml"
