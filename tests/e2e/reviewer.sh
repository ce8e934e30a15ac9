#!/usr/bin/env bash
# A coding agent reads the work first: what it approves of is tried and lands, what it dislikes comes back, and its word alone lands nothing.
. "$(dirname "$0")/world.sh"
make_repository shop
up
make_town shop shop --reviewer tester --max-batch 4
# The reviewer runs what the author says in the summary.
work() { echo "echo $1 > $1; ${3:-}"' git add -A; git commit -qm work -m "Bead: ${TOWN_REWORK:-$TOWN_BEAD}"; town done --summary '"'$2'"; }
good=$(sling "Good" "$(work good 'town done')")
red=$(sling "Red" "$(work red 'town done' '[ -z "${TOWN_REWORK:-}" ] || { git rm -q red; echo mended > mended; };')")
ugly=$(sling "Ugly" "$(work ugly 'git merge -q --no-ff -m look "$(town prime --get assignment.trial.0.commit)"; grep -q pretty ugly && town done || { town request-changes "make it pretty" --file ugly; town done; }' \
  '[ -z "${TOWN_REWORK:-}" ] || echo pretty > ugly;')")
for bead in "$good" "$red" "$ugly"; do ends "$bead" closed 90; done
[ "$(git -C "$world/shop" show main:ugly)" = pretty ] || fail "ugly landed as it was"
[ "$(git -C "$world/shop" show main:mended)" = mended ] || fail "red was not mended"
for tip in $(git -C "$world/shop" reflog show main --format=%H); do
  git -C "$world/shop" cat-file -e "$tip:red" 2> /dev/null && fail "main was at $tip, which is red"
done
rounds=$(town beads --type issue --limit 100 --json | grep -o '"title":"Rework: [^"]*"' | sort | uniq -c)
[ "$(echo "$rounds" | wc -l)" = 2 ] || fail "came back: $rounds"
# What landed was merged by townd's own trials, not by the reviewer.
town rig list --json | grep -q '"refinery_preset":"tester"' || fail "nobody reviews: $(town rig list --json)"
town rig add "$world/shop" --name other --gate true --reviewer nobody 2> "$world/err" && fail "an unknown reviewer was taken"
grep -q nobody "$world/err" || fail "$(cat "$world/err")"
town rig add "$world/shop" --name other --gate true --max-batch 33 2> "$world/err" && fail "33 together were taken"
grep -q 'max_batch: 1 to 32' "$world/err" || fail "$(cat "$world/err")"
