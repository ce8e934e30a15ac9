#!/usr/bin/env bash
# People nudge, mail, answer questions and hand out tokens.
. "$(dirname "$0")/world.sh"
make_repository shop
sed -i 's|^input = .*|&\nmessage = "inbox"|' "$TOWND_DATA/presets/tester.toml"
up
make_town shop
bead=$(sling "Listen" "$waits; town mail read > .git/heard; town escalate 'Which greeting?' --body 'Two are asked for.'; git commit -q --allow-empty -m 'Bead: '\$TOWN_BEAD; town done")
within 30 waiting "$bead" || fail "nobody waits: $(town why "$bead")"
agent=$(town agents --status working --json | grep -o '"agent_id":"[^"]*"' | head -n 1 | cut -d '"' -f 4)

town nudge "$agent" "Look at the clock" > /dev/null || fail "no nudge"
nudged() { grep -rq "Look at the clock" "$(clone_of "$bead")/.git/town/inbox"; }
within 30 nudged || fail "the agent does not see the nudge"
echo "Say good morning." | town mail send "$agent" "About the greeting" > /dev/null || fail "no mail"
town mail send nobody "Hello" --body x > /dev/null 2>&1; [ $? = 3 ] || fail "mail to nobody is not 3"
town nudge "$agent" "" > /dev/null 2>&1; [ $? = 2 ] || fail "an empty nudge is not 2"

go "$bead"
asked() { town escalations --json | grep -q 'Which greeting?'; }
within 30 asked || fail "nobody sees the question: $(town logs "$agent")"
question=$(town escalations --json | grep -o '"bead_id":"[^"]*"' | head -n 1 | cut -d '"' -f 4)
town ack "$question" > /dev/null || fail "not acknowledged"
town show "$question" --json | grep -q '"acknowledged":true' || fail "it is not seen as acknowledged: $(town show "$question" --json)"
town ack shop-999 > /dev/null 2>&1; [ $? = 3 ] || fail "acknowledging nothing is not 3"
ends "$bead" closed

town triage list | grep -q "No agent is in question" || fail "there are questions: $(town triage list)"
town triage resolve "$bead" restart > /dev/null 2>&1; [ $? = 3 ] || fail "what is no question can be decided"

read -r address < "$TOWND_DATA/listen"
token=$(town token new viewer --id guest --get token) || fail "no token"
town token list | grep -q guest || fail "the token is not listed"
town token list --json | grep -q "$token" && fail "the list shows the token"
far() { town "$@" --url "http://$address" --token "$token"; }
far status > /dev/null || fail "a viewer may not look"
far pause > /dev/null 2>&1; [ $? = 4 ] || fail "a viewer may pause"
town token revoke guest > /dev/null || fail "not revoked"
far status > /dev/null 2>&1; [ $? = 4 ] || fail "a revoked token is good"

for shell in bash zsh fish; do town completion $shell > "$world/$shell" || fail "no completion for $shell"; done
bash -n "$world/bash" || fail "bash does not read its completion"
[ "$(bash -c ". $world/bash; COMP_WORDS=(town convoy st); COMP_CWORD=2; _town; echo \${COMPREPLY[*]}")" = "start status" ] ||
  fail "bash completes wrongly"
town completion tcsh > /dev/null 2>&1; [ $? = 2 ] || fail "there is no completion for tcsh, which is 2"
[ "$(town manual | grep -c '^\.SS town ')" = "$(grep -c '^| `town ' "$TOWN_SOURCE/docs/commands.md")" ] || fail "the manual leaves commands out"
