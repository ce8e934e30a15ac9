#!/usr/bin/env bash
# Agents that die, exit without done, give up, or say done twice or late end as they should.
. "$(dirname "$0")/world.sh"
make_repository shop
printf 'lost_agent_after_run = "200ms"\nmax_dispatch_attempts = 3\n' >> "$world/townd.toml"
up
make_town shop

dies=$(sling "Dies once" 'if [ "$TOWN_ATTEMPT" = 1 ]; then kill -9 $$; fi
echo a > a; git add a; git commit -qm a -m "Bead: $TOWN_BEAD"; town done')
silent=$(sling "Exits without done" 'echo "nothing to say"')
gives_up=$(sling "Gives up" 'town fail --reason "it cannot be done"')
twice=$(sling "Says done twice" 'echo b > b; git add b; git commit -qm b -m "Bead: $TOWN_BEAD"; town done; town done || true')
late=$(sling "Says done from a child that outlives it" 'echo c > c; git add c; git commit -qm c -m "Bead: $TOWN_BEAD"
(setsid sh -c "town done" < /dev/null > /dev/null 2>&1) ')

ends "$dies" closed
ends "$twice" closed
ends "$late" closed
ends "$gives_up" failed
ends "$silent" failed
for id in "$dies" "$twice" "$late"; do
  [ "$(merges_of shop "$id")" = 1 ] || fail "$id was merged $(merges_of shop "$id") times"
done
[ "$(town show "$silent" --get dispatch_attempts)" = 3 ] || fail "it had $(town show "$silent" --get dispatch_attempts) attempts"

# A token is good for its own run only, and for nothing that people do.
steals=$(sling "Tries more than it may" '
town cancel '"$dies"' && exit 1
town show '"$dies"' --url http://127.0.0.1:1 --token x && exit 1
town pause && exit 1
echo d > d; git add d; git commit -qm d -m "Bead: $TOWN_BEAD"; town done')
ends "$steals" closed

# Any program can be an agent under the name that the preset `custom` calls.
mkdir "$world/bin"
cat > "$world/bin/town-agent" <<'END'
#!/bin/sh
grep -q "Turn it to twelve" || exit 1
echo e > e; git add e; git commit -qm e -m "Bead: $TOWN_BEAD"; town done
END
chmod +x "$world/bin/town-agent"
town down --stop-agents > /dev/null
PATH="$world/bin:$PATH" up
make_repository mine
town rig add "$world/mine" --name mine --gate "sh test.sh" --preset custom > "$world/rig.out" || fail "$(cat "$world/rig.out")"
twelve=$(sling "Does it its own way" "Turn it to twelve." --rig mine)
ends "$twelve" closed
