#!/usr/bin/env bash
# One bead goes from sling to closed and its commit lands on main.
. "$(dirname "$0")/world.sh"
make_repository shop
up
make_town shop
id=$(sling "Write two" 'echo two >> file; git commit -qam "Two" -m "Bead: $TOWN_BEAD"; town done --summary "two is there"')
ends "$id" closed
[ "$(git -C "$world/shop" show main:file)" = "$(printf 'one\ntwo')" ] || fail "main has not got the work"
[ "$(cat "$world/shop/file")" = "$(printf 'one\ntwo')" ] || fail "the clean checkout did not follow main"
[ "$(merges_of shop "$id")" = 1 ] || fail "merged $(merges_of shop "$id") times"
town log "$id" | grep -q closed || fail "the history does not say that it closed"
town status | grep -q "2 closed" || fail "status does not count it"
town export "$world/town.json" > /dev/null && town plan --snapshot "$world/town.json" > /dev/null || fail "no plan on an export"
# The owner commits; the next agent sees it at once, and what it makes lands at the first try.
(cd "$world/shop" && echo owner >> file && git commit -qam "The owner's own")
next=$(sling "Write three" 'grep -qx owner file && echo three >> file; git commit -qam "Three" -m "Bead: $TOWN_BEAD"; town done')
ends "$next" closed
[ "$(git -C "$world/shop" show main:file)" = "$(printf 'one\ntwo\nowner\nthree')" ] || fail "main has not got both"
town log --json | grep -q landing_moved && fail "the trial was made on an old main"
# What cannot be: a branch that is not there, a gate that tests nothing, the end of what has ended.
town rig add "$world/shop" --name lost --branch nobranch --gate true --json > "$world/lost" 2>&1
grep -q nobranch "$world/lost" || fail "a branch that is not there is taken: $(cat "$world/lost")"
town rig add "$world/shop" --name empty --gate "" > /dev/null 2>&1; [ $? = 2 ] || fail "an empty gate is taken"
town config set town.max_polecats 0 > /dev/null 2>&1; [ $? = 2 ] || fail "no polecat at all is a setting"
town cancel "$next" > /dev/null 2>&1; [ $? = 4 ] || fail "what has ended is cancelled"
town log -f nothing > /dev/null 2>&1; [ $? = 3 ] || fail "what is not there is followed"
town status > /dev/full 2> /dev/null; [ $? = 1 ] || fail "an answer that nobody gets is a success"
town export /dev/full 2> /dev/null; [ $? = 1 ] && [ -c /dev/full ] || fail "a device is replaced by a file"
held=$(town sling "Later" --rig shop --body "true" --held --get bead.bead_id) && town start "$held" > /dev/null || fail "a held bead is not let go"
town start "$held" > /dev/null 2>&1; [ $? = 4 ] || fail "it is let go twice"
for what in beads agents reviews; do
  town $what --rig nope > /dev/null 2>&1; [ $? = 3 ] || fail "$what of a rig that is not there"
  town $what --rig shop > /dev/null || fail "$what of a rig"
done
