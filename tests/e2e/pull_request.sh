#!/usr/bin/env bash
# One bead goes from sling to closed by a pull request that townd opens beside a branch of the same name, has reviewed, sees green and merges.
. "$(dirname "$0")/world.sh"
. "$(dirname "$0")/forge.sh"
printf 'poll = "1s"\nmerge_retry = "1s"\n[town]\nauto_merge_delay_minutes = 0\n' >> "$world/townd.toml"
start_forge
make_repository shop
host shop
up
make_town shop shop --strategy pr --push "https://$forge/you/shop.git"
# Somebody has a branch of the name that the first agent's work will get.
theirs=$(at_forge shop -c user.name=you -c user.email=you@example.com commit-tree -p main -m "Mine" main^{tree}) || fail "no commit"
at_forge shop branch gt/toast/sh-2 "$theirs" || fail "no branch"
id=$(sling "Write two" 'echo two >> file; git commit -qam "Two" -m "Bead: $TOWN_BEAD"; town done --summary "two is there"')
within 60 opened shop 1 || fail "no pull request: $(town why "$id")"
head=$(head_of shop 1)
[ "$(at_forge shop show "$head:file")" = "$(printf 'one\ntwo')" ] || fail "the pull request has not got the work"
[ "$(at_forge shop rev-parse gt/toast/sh-2)" = "$theirs" ] || fail "the branch of somebody else is not theirs any more"
[ "$(at_forge shop rev-parse gt/toast/sh-2-2)" = "$head" ] || fail "the work is not beside theirs: $(at_forge shop branch)"
# No check yet right after a push is not "all pass".
request=$(request_of "$id")
within 60 verdict_is "$id" approved || fail "not reviewed: $(town why "$request")"
[ "$(status_of "$id")" = in_review ] || fail "it is $(status_of "$id") before its checks have run"
check shop "$head" success
ends "$id" closed
[ "$(at_forge shop show main:file)" = "$(printf 'one\ntwo')" ] || fail "main at the forge has not got the work"
town show "$request" --json | grep -q '"evidence":"forge"' || fail "no evidence: $(town show "$request" --json)"
forge_is_well
