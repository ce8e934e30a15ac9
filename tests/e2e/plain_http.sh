#!/usr/bin/env bash
# The reference's own flow works over plain HTTP, for people and for an agent that knows nothing but its GASTOWN_ variables.
. "$(dirname "$0")/world.sh"
make_repository shop
up
read -r address < "$TOWND_DATA/listen"
token=$(cat "$TOWND_DATA/admin.token")
# api STATUS METHOD PATH [JSON]: the answer, which must have this status.
api() {
  local code
  code=$(curl -sS -o "$world/answer" -w '%{http_code}' -X "$2" "http://$address$3" -H "Authorization: Bearer $token" \
    -H 'Content-Type: application/json' ${4:+--data-binary "$4"}) || fail "curl: $2 $3"
  [ "$code" = "$1" ] || fail "$2 $3 answers $code, not $1: $(cat "$world/answer")"
  cat "$world/answer"
}
# member NAME: the first string of this name on standard input.
member() { grep -o "\"$1\":\"[^\"]*\"" | head -n 1 | cut -d '"' -f 4; }
quoted() { printf '%s' "$1" | sed 's/\\/\\\\/g; s/"/\\"/g' | awk '{ printf "%s%s", sep, $0; sep = "\\n" }'; }

town=$(api 201 POST /api/towns '{"name":"plain"}' | member town_id)
rigs=/api/towns/$town/rigs
rig=$(api 201 POST "$rigs" "{\"name\":\"shop\",\"git_url\":\"$world/shop\",\"config\":{\"gates\":[\"sh test.sh\"],\"polecat_preset\":\"tester\"}}" | member rig_id)
rig=$rigs/$rig
usable() { api 200 GET "$rig" | grep -q '"usable":true'; }
within 30 usable || fail "the rig is not usable: $(api 200 GET "$rig")"

# What the agent does: primes, works, says so, mails the one who asked, hands in; with curl and its environment only.
script='me=$GASTOWN_API_URL/api/towns/$GASTOWN_TOWN_ID/rigs/$GASTOWN_RIG_ID
call() { curl -sSf -X "$1" "$me$2" -H "Authorization: Bearer $GASTOWN_CONTAINER_TOKEN" -H "X-Gastown-Agent-Id: $GASTOWN_AGENT_ID" -H "Content-Type: application/json" ${3:+--data-binary "$3"}; }
call GET /agents/$GASTOWN_AGENT_ID/prime > .git/primed
grep -q "About the greeting" .git/primed
call POST /agents/$GASTOWN_AGENT_ID/heartbeat "{}"
call POST /agents/$GASTOWN_AGENT_ID/status "{\"message\":\"greeting people\"}"
call POST /agents/$GASTOWN_AGENT_ID/checkpoint "{\"data\":{\"next\":\"commit\"}}"
echo hello >> file && git commit -qam "Say hello" -m "Bead: $TOWN_BEAD"
call POST /agents/$GASTOWN_AGENT_ID/done "{\"branch\":\"$TOWN_BRANCH\",\"summary\":\"it says hello\"}"'

# A bead that is held until an agent has it on its hook and mail about it.
bead=$(api 201 POST "$rig/beads" "{\"type\":\"issue\",\"title\":\"Say hello\",\"body\":\"$(quoted "$script")\",\"labels\":[\"gt:held\"]}" | member bead_id)
agent=$(api 201 POST "$rig/agents" '{"role":"polecat","name":"Ada","identity":"Ada-polecat"}' | member agent_id)
[ "$(api 200 POST "$rig/agents/get-or-create" '{"role":"polecat"}' | member agent_id)" = "$agent" ] || fail "another agent is made though one is free"
api 409 POST "$rig/agents" '{"role":"polecat","name":"Ada"}' > /dev/null
api 200 POST "$rig/agents/$agent/hook" "{\"bead_id\":\"$bead\"}" | grep -q '"hooked":true' || fail "not hooked"
api 409 DELETE "$rig/agents/$agent" > /dev/null
api 201 POST "$rig/mail" "{\"to_agent_id\":\"$agent\",\"subject\":\"About the greeting\",\"body\":\"Be polite.\"}" > /dev/null
api 200 PATCH "/api/mayor/$town/tools/rigs/shop/beads/$bead" '{"labels":[]}' > /dev/null
bead_is() { api 200 GET "$rig/beads/$1" | grep -q "\"status\":\"$2\""; }
within 60 bead_is "$bead" closed || fail "not closed: $(api 200 GET "/api/towns/$town/why/$bead")"
[ "$(git -C "$world/shop" show main:file)" = "$(printf 'one\nhello')" ] || fail "main has not got the work"
api 200 GET "$rig/beads/$bead" | grep -q "\"assignee_agent_bead_id\":\"$agent\"" || fail "another agent did it"

# Slung work, reviewed by a person, closed by hand, deleted.
slung=$(api 201 POST "$rig/sling" '{"title":"Nobody does this","body":"sleep 1000"}' | member bead_id)
within 30 bead_is "$slung" in_progress || fail "nobody takes what was slung"
api 409 DELETE "$rig/beads/$slung" > /dev/null
api 200 POST "$rig/beads/$slung/close" '{}' | grep -q '"status":"closed"' || fail "not closed by hand"
nobody_works() { api 200 GET "$rig/agents?status=working" | grep -q '"data":\[\]'; }
within 60 nobody_works || fail "its agent goes on"
held=$(api 201 POST "$rig/beads" '{"title":"Thought better of","labels":["gt:held"]}' | member bead_id)
api 200 DELETE "$rig/beads/$held" | grep -q '"deleted":true' || fail "not deleted"
api 404 GET "$rig/beads/$held" > /dev/null
# Its status is idle before its process has ended.
gone() { (api 200 DELETE "$rig/agents/$agent"); }
within 30 gone || fail "an agent that does nothing cannot be deleted"
api 404 GET "$rig/agents/$agent" > /dev/null
