#!/usr/bin/env bash
# A gate that fails on main itself pauses the merge queue, which says so; put right and resumed, everything lands.
. "$(dirname "$0")/world.sh"
make_repository shop
up
make_town shop
town queue | grep -q '0 waiting' || fail "an empty queue shows: $(town queue)"
town queue shop --resume 2> "$world/err"
[ $? -eq 4 ] || fail "a queue that runs was resumed: $(cat "$world/err")"
grep -q 'is not paused' "$world/err" || fail "$(cat "$world/err")"
town queue nowhere 2> "$world/err"
[ $? -eq 3 ] || fail "a rig that is not there has a queue: $(cat "$world/err")"

(cd "$world/shop" && touch red && git add red && git commit -qm "breaks the gate for everybody")
for n in 1 2 3 4; do
  sling "Number $n" 'echo x > "file-${TOWN_REWORK:-$TOWN_BEAD}"; git add -A
git commit --allow-empty -qm work -m "Bead: ${TOWN_REWORK:-$TOWN_BEAD}"; town done' > "$world/bead-$n"
done
paused() { [ -n "$(town queue shop --get rigs.0.paused_reason)" ]; }
within 60 paused || fail "the queue goes on: $(town queue)"
town queue > "$world/page"
grep -q 'paused until .*: the gate fails on main itself: sh test.sh' "$world/page" || fail "it shows: $(cat "$world/page")"
town status | grep -q 'its merge queue is paused' || fail "the status says nothing of it: $(town status)"
town escalations | grep -q 'Merge queue paused' || fail "nobody was asked: $(town escalations)"
town queue --watch --json > "$world/watch" &
others+=($!)

(cd "$world/shop" && git rm -q red && git commit -qm "mended")
town queue shop --resume > "$world/page" || fail "it is not resumed: $(cat "$world/page")"
grep -q paused "$world/page" && fail "it is still paused: $(cat "$world/page")"
for n in 1 2 3 4; do ends "$(cat "$world/bead-$n")" closed; done
seen() { [ "$(wc -l < "$world/watch")" -ge 2 ]; }
within 10 seen || fail "the watch saw $(cat "$world/watch")"
