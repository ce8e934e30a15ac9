#!/usr/bin/env bash
# Pipes and giants in a clone's repository stop nobody else, and no token gets out through an agent's words.
. "$(dirname "$0")/world.sh"
make_repository shop
up
make_town shop
read -r address < "$TOWND_DATA/listen"
viewer=$(town token new viewer --get token) || fail "no viewer"
work='echo "$TOWN_BEAD" > "$TOWN_BEAD"; git add "$TOWN_BEAD"; git commit -qm work -m "Bead: $TOWN_BEAD"'

# What git would hang on, or read without end, is not read: the work comes back with the reason, as from a gate, and what
# is done anew without it lands. Honest work is not held up.
plant() { sling "$1" "$work; [ -n \"\${TOWN_REWORK:-}\" ] || { $2; }; town done"; }
pipe=$(plant "Plants a pipe" "mkfifo .git/refs/heads/x")
giant=$(plant "Plants a giant" "truncate -s 1T .git/refs/heads/x")
objects=$(plant "Plants a pipe among the objects" "mkfifo .git/objects/pipe")
honest=$(sling "Honest work" "$work; town done")
ends "$honest" closed 30
for id in "$pipe" "$giant" "$objects"; do ends "$id" closed; done
merges=$(git -C "$world/shop" log --merges --oneline main | wc -l)
[ "$merges" = 4 ] || fail "$merges merges of four pieces of work: $(git -C "$world/shop" log --oneline --graph main)"
reworks=$(town beads --json | grep -o '"title":"Rework: Plants[^"]*"' | sort -u | wc -l)
[ "$reworks" = 3 ] || fail "$reworks of 3 came back: $(town beads --all)"

# An agent that prints its environment shows a viewer no token.
prints=$(sling "Prints its environment" "env; $waits; $work; town done")
within 30 waiting "$prints" || fail "nobody works on $prints"
agent=$(town show "$prints" --get assignee_agent_bead_id)
log=$(curl -s "http://$address/api/towns/shop/agents/$agent/log" -H "Authorization: Bearer $viewer")
grep -q 'TOWN_TOKEN=\*\*\*\*' <<< "$log" || fail "no token was taken out: $log"
! grep -qE 'TOKEN=[0-9a-f]{8}' <<< "$log" || fail "a viewer reads a run's token"
go "$prints"
ends "$prints" closed

# A crowd at one door leaves the owner's own open.
crowd=()
for _ in {1..520}; do exec {wire}<> "/dev/tcp/127.0.0.1/${address##*:}" && crowd+=("$wire"); done 2> /dev/null
town status > "$world/out" 2>&1 || fail "a crowd keeps the owner out: $(cat "$world/out")"
for wire in "${crowd[@]}"; do exec {wire}>&-; done
