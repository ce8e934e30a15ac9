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
