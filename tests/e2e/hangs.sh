#!/usr/bin/env bash
# An agent that hangs is stopped with all its processes, and another run does its bead.
. "$(dirname "$0")/world.sh"
make_repository shop
printf 'gupp_force_stop = "4s"\nlost_agent_after_run = "200ms"\ntriage_delay = "1h"\n' >> "$world/townd.toml"
up
make_town shop
marked="sleep 9$$$RANDOM"   # like no other process of this machine
hangs=$(sling "Hangs once" 'if [ "$TOWN_ATTEMPT" = 1 ]; then trap "" TERM; '"$marked & $marked"'; fi
echo a > a; git add a; git commit -qm a -m "Bead: $TOWN_BEAD"; town done')
within 30 pgrep -f "^$marked" || fail "it does not hang: $(town why "$hangs")"
ends "$hangs" closed 90
[ "$(merges_of shop "$hangs")" = 1 ] || fail "merged $(merges_of shop "$hangs") times"
[ "$(town show "$hangs" --get runs.0.outcome)" = timed_out ] || fail "the first run: $(town show "$hangs" --json)"
[ "$(runs_of "$hangs" | wc -l)" -ge 2 ] || fail "nobody else worked on it: $(town show "$hangs" --json)"
pgrep -f "^$marked" > "$world/left" && fail "processes are left of it: $(cat "$world/left")"
true
