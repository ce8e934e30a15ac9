#!/usr/bin/env bash
# Two towns work side by side, each on its own repository.
. "$(dirname "$0")/world.sh"
make_repository shop
make_repository bank
up
make_town shop
make_town bank
work='echo $TOWN_ID > who; git add -A; git commit -qm who -m "Bead: $TOWN_BEAD"; town done'
town sling "Which town" 2> "$world/out"; [ $? -eq 2 ] || fail "a town was guessed: $(cat "$world/out")"
grep -q -- --town "$world/out" || fail "the error does not say what to do: $(cat "$world/out")"
a=$(sling "In the shop" "$work" --town shop)
b=$(cd "$world/bank" && sling "In the bank" "$work")
ends "$a" closed
ends "$b" closed
[ "$(git -C "$world/shop" show main:who)" = shop ] || fail "the shop has $(git -C "$world/shop" show main:who)"
[ "$(git -C "$world/bank" show main:who)" = bank ] || fail "the bank has $(git -C "$world/bank" show main:who)"
[ "$(town rig list --town bank --json | grep -o '"rig_id"' | wc -l)" = 1 ] || fail "the bank has other rigs"
