#!/usr/bin/env bash
# Killed at random moments during a convoy of twenty beads, townd merges each exactly once.
. "$(dirname "$0")/world.sh"
RANDOM=${TOWN_SEED:-7}
make_repository shop
up
make_town shop
{
  echo 'title = "Twenty"'
  echo 'merge_mode = "review-and-merge"'
  for n in $(seq 20); do
    echo '[[task]]'
    echo "name = \"n$n\""
    echo "title = \"Number $n\""
    echo "body = '''echo $n > file-$n; git add -A; git commit -qm \"$n\" -m \"Bead: \$TOWN_BEAD\"; town done'''"
    [ $n -le 4 ] || echo "after = [\"n$((n - 1 - RANDOM % 4))\"]"
  done
} > "$world/convoy.toml"
convoy=$(town convoy new "$world/convoy.toml" --get convoy.id) || fail "no convoy"
landed() { [ "$(town show "$convoy" --get status)" = closed ]; }
kills=0
while [ $kills -lt 30 ] && ! landed; do
  # A moment of no particular kind: so many pieces of news later, which may be none at all.
  for _ in $(seq $((RANDOM % 32))); do hear_news; done
  kill -9 "$(town up --get pid)" || fail "there is no townd to kill"
  kills=$((kills + 1))
  up
done
[ $kills -ge 6 ] || fail "the convoy landed after $kills kills; that shows little"
within ${TOWN_WAIT:-180} landed || fail "the convoy did not land: $(town convoy status "$convoy")"
for id in $(town beads --type issue --json | grep -o '"bead_id":"[^"]*"' | cut -d '"' -f 4); do
  is "$id" closed || fail "$id is $(status_of "$id")"
  [ "$(merges_of shop "$id")" = 1 ] || fail "$id was merged $(merges_of shop "$id") times"
done
[ "$(git -C "$world/shop" ls-tree --name-only main | grep -c '^file-')" = 20 ] || fail "main has not got all files"
