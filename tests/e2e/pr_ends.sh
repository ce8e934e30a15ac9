#!/usr/bin/env bash
# A pull request that conflicts is mended, one that a person closes or merges is noticed, one of somebody else's is adopted, and one that is behind is brought up to date, and what the forge refuses is said and tried again.
. "$(dirname "$0")/world.sh"
. "$(dirname "$0")/forge.sh"
printf 'poll = "1s"\nmerge_retry = "1s"\norphaned_source = "2s"\n[town]\nauto_merge_delay_minutes = 0\n' >> "$world/townd.toml"
start_forge
make_repository shop
host shop
up
make_town shop shop --strategy pr --push "https://$forge/you/shop.git"
work='if [ -z "${TOWN_REWORK:-}" ]; then echo two >> file; git commit -qam Two -m "Bead: $TOWN_BEAD"; else
git merge -q "origin/main" || { printf "one\ntwo\nyours\n" > file; git commit -qam Joined; }; fi; town done'
# Main moves on and conflicts.
id=$(sling "Write two" "$work")
within 60 opened shop 1 || fail "no pull request: $(town why "$id")"
act '{"login": "you", "repository": "you/shop", "do": "push", "branch": "main", "files": {"file": "one\nyours\n"}}'
joined() { at_forge shop show "$(head_of shop 1):file" 2> /dev/null | grep -q yours; }
within 60 joined || fail "the conflict is not resolved: $(town beads) $(town why "$id")"
within 60 verdict_is "$id" approved || fail "not reviewed: $(town why "$id")"
check shop "$(head_of shop 1)" success
ends "$id" closed
[ "$(at_forge shop show main:file)" = "$(printf 'one\ntwo\nyours')" ] || fail "main has $(at_forge shop show main:file)"
# You merge one yourself, close another.
mine=$(sling "Mine" 'echo mine > mine; git add -A; git commit -qm Mine; town done')
within 60 opened shop 2 || fail "no second pull request"
act '{"login": "you", "repository": "you/shop", "do": "merge", "number": 2, "method": "squash"}'
ends "$mine" closed
shut=$(sling "Shut" '[ -z "$(ls | grep shut)" ]; echo shut > shut; git add -A; git commit -qm Shut; town done')
within 60 opened shop 3 || fail "no third pull request"
act '{"login": "you", "repository": "you/shop", "do": "close", "number": 3}'
closed_unmerged() { town reviews --json | grep -q 'closed without a merge' || town log "$shut" | grep -q 'review_completed.*failed'; }
within 60 closed_unmerged || fail "nobody noticed that it was closed: $(town log "$shut")"
town cancel "$shut" > /dev/null || fail "cannot cancel"
# Somebody else's pull request.
act '{"login": "you", "repository": "you/shop", "do": "push", "branch": "theirs", "files": {"theirs": "yes\n"}}'
act '{"login": "you", "repository": "you/shop", "do": "open", "head": "theirs", "title": "Their own"}'
number=$(field number < "$world/act.out")
adopted=$(town adopt "https://$forge/you/shop/pull/$number" --get bead_id) || fail "not adopted"
[ "$(town show "$adopted" --get title)" = "Their own" ] || fail "it is called $(town show "$adopted" --get title)"
within 60 verdict_is "$adopted" approved || fail "not reviewed: $(town why "$adopted")"
check shop "$(head_of shop "$number")" success
ends "$adopted" closed
for wrong in "https://$forge/you/other/pull/1" "https://github.com/you/shop/pull/1" "https://$forge/you/shop/pull/1?x=1" \
  "https://$forge/you/shop/pull/999" "https://$forge/you/shop/pull/$number"; do
  town adopt "$wrong" > "$world/out" 2>&1 && fail "$wrong was adopted"
done
# A branch that has to contain its target's tip gets it and keeps its verdict; its checks run again.
control protection '{"repository": "you/shop", "branch": "main", "required_checks": ["build"], "strict": true}' > /dev/null || fail "not protected"
behind=$(sling "Behind" 'echo behind > behind; git add -A; git commit -qm Behind; town done')
within 60 opened shop 5 || fail "no fifth pull request: $(town why "$behind")"
within 60 verdict_is "$behind" approved || fail "not reviewed: $(town why "$behind")"
before=$(head_of shop 5)
reviewed=$(request_of "$behind")
control protection '{"repository": "you/shop", "branch": "main", "off": true}' > /dev/null
act '{"login": "you", "repository": "you/shop", "do": "push", "branch": "main", "files": {"meanwhile": "yes\n"}}'
control protection '{"repository": "you/shop", "branch": "main", "required_checks": ["build"], "strict": true}' > /dev/null
check shop "$before" success
up_to_date() { at_forge shop merge-base --is-ancestor main "$(head_of shop 5)"; }
within 60 up_to_date || fail "not brought up to date: $(town why "$behind") $(town log "$behind")"
check shop "$(head_of shop 5)" success
ends "$behind" closed
[ "$(runs_of "$reviewed" | wc -l)" = 1 ] || fail "reviewed again: $(runs_of "$reviewed")"
control protection '{"repository": "you/shop", "branch": "main", "off": true}' > /dev/null
# A token that is revoked: said, and nothing is lost; with a new one it goes on.
control tokens '{"revoke": "'"$forge_token"'"}' > /dev/null || fail "not revoked"
late=$(sling "Late" 'echo late > late; git add -A; git commit -qm Late; town done')
refused() { town why "$late" | grep -q 'the forge refused'; }
within 60 refused || fail "not refused: $(town why "$late")"
town why "$late" | grep -q 'It said: .*make a new one' || fail "not with the forge's words: $(town why "$late")"
town status | grep -q 'pull request was refused' || fail "the status is silent: $(town status)"
control tokens '{"login": "towny", "scopes": ["repo"], "token": "'"$forge_token"'"}' > /dev/null || fail "no token again"
town retry "$late" > /dev/null || fail "cannot retry"
ready() { verdict_is "$late" approved; }
within 60 ready || fail "not taken up again: $(town why "$late")"
number=$(($(at_forge shop for-each-ref --format='%(refname)' refs/pull | wc -l)))
check shop "$(head_of shop "$number")" success
ends "$late" closed
forge_is_well
