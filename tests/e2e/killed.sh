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
for round in $(seq 8); do
  # Somewhere in the next few beads: wait until so many more are closed, or a bound is over.
  goal=$((round * 2 + RANDOM % 2))
  closed() { [ "$(town beads --type issue --status closed --json | grep -o '"bead_id"' | wc -l)" -ge "$goal" ]; }
  within 30 closed || true
  pid=$(town up --get pid) || fail "townd does not answer"
  kill -9 "$pid"
  up
done
within ${TOWN_WAIT:-180} landed || fail "the convoy did not land: $(town convoy status "$convoy")"
for id in $(town beads --type issue --json | grep -o '"bead_id":"[^"]*"' | cut -d '"' -f 4); do
  is "$id" closed || fail "$id is $(status_of "$id")"
  [ "$(merges_of shop "$id")" = 1 ] || fail "$id was merged $(merges_of shop "$id") times"
done
[ "$(git -C "$world/shop" ls-tree --name-only main | grep -c '^file-')" = 20 ] || fail "main has not got all files"
