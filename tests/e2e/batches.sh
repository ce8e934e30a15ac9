#!/usr/bin/env bash
# Of a hundred pieces of work, five broken and three in the way of others, 92 land together in batches and 8 come back, with townd killed ten times on the way.
. "$(dirname "$0")/world.sh"
RANDOM=${TOWN_SEED:-7}
make_repository shop
# What came back is not done again here: it is asked for once, given up, and then a person has to look.
cat >> "$world/townd.toml" <<'END'
review_rounds = 1
END
up
make_town shop
base=$(git -C "$world/shop" rev-parse main)
finish='git add -A; git commit -qm work -m "Bead: $TOWN_BEAD"; town done'
give_up='[ -z "${TOWN_REWORK:-}" ] || { town fail --reason "not today"; exit 0; };'
declare -A kind
for n in $(seq 100); do
  case $n in
    13 | 31 | 50 | 77 | 99) what=broken; body="$give_up touch red; echo $n > file-$n; $finish" ;;
    20 | 40 | 60 | 80) what=rival; body="$give_up git reset -q --hard $base; echo $n > file; $finish" ;;
    *) what=good; body="echo $n > file-$n; $finish" ;;
  esac
  kind[$(sling "Number $n" "$body")]=$what
done
settled() { [ "$(landed)" = 92 ] && [ "$(held)" = 8 ]; }
held() { town beads --type issue --status open --limit 500 --json | grep -o 'gt:held' | wc -l; }
# Killed whenever some eight more have landed, and a moment of no particular kind later.
landed() { git -C "$world/shop" rev-list --count --min-parents=2 main; }
for kills in $(seq 10); do
  within 200 eval '[ "$(landed)" -ge $((kills * 8 - RANDOM % 8)) ]' || fail "$(landed) landed before kill $kills: $(town status)"
  for _ in $(seq $((RANDOM % 4))); do hear_news; done
  kill -9 "$(town up --get pid)" || fail "there is no townd to kill"
  up
done
within ${TOWN_WAIT:-240} settled ||
  fail "$(landed) landed, $(held) came back: $(town status)"

rivals=0
for id in "${!kind[@]}"; do
  status=$(status_of "$id")
  merges=$(merges_of shop "$id")
  case ${kind[$id]} in
    good) [ "$status$merges" = closed1 ] || fail "$id is $status, merged $merges times" ;;
    broken)
      [ "$status$merges" = open0 ] || fail "$id breaks the gate and is $status, merged $merges times"
      town show "$id" --json | grep -q 'gt:held' || fail "nobody is asked about $id" ;;
    rival) [ "$status" != closed ] || rivals=$((rivals + 1)) ;;
  esac
done
[ $rivals = 1 ] || fail "$rivals of four that change one line landed"
reasons=$(town beads --type issue --limit 500 --json | grep -o '"title":"Rework: [^"]*"' | sort -u | wc -l)
[ "$reasons" = 8 ] || fail "$reasons rework beads say why, not 8"

# Every commit that main ever was has passed its gate.
tips=$(git -C "$world/shop" reflog show main --format=%H | sort -u)
trials=$(echo "$tips" | wc -l)
[ "$trials" -lt 60 ] || fail "92 pieces of work landed one by one: $trials tips"
for tip in $tips; do
  git -C "$world/shop" cat-file -e "$tip:red" 2> /dev/null && fail "main was at $tip, which is red"
done
echo "92 landed in $trials steps of main"
