#!/usr/bin/env bash
# Metrics need a token, count what happens to one bead, and log lines and lifecycle events tell the same story.
. "$(dirname "$0")/world.sh"
printf '[events]\nfile = "events.jsonl"\n' >> "$world/townd.toml"
make_repository shop
up
make_town shop
url=$(sed -n 2p "$TOWND_DATA/listen")
ask() { curl -s -o "$world/answer" -w '%{http_code} %{content_type}' "$@" "$url/metrics"; }
[ "$(ask | cut -d' ' -f1)" = 401 ] || fail "metrics are open to everybody"
token=$(town token new viewer --get token) || fail "no token"
[ "$(ask -H "Authorization: Bearer $token")" = "200 text/plain; version=0.0.4; charset=utf-8" ] || fail "no metrics"

bead=$(sling "Number two" 'echo two > two && git add two && git commit -qm two && town done')
ends "$bead" closed
ask -H "Authorization: Bearer $token" > /dev/null
value() { sed -n "s/^$1 //p" "$world/answer"; }
id=$(town status --json | sed -n 's/.*"town_id":"\([^"]*\)".*/\1/p' | head -n 1)
[ "$(value "townd_beads{status=\"closed\",town=\"$id\",type=\"issue\"}")" = 1 ] || fail "one bead is closed"
[ "$(value "townd_reviews_ended_total{result=\"merged\",town=\"$id\"}")" = 1 ] || fail "one request is merged"
[ "$(value "townd_trials_total{outcome=\"green\",town=\"$id\"}")" = 1 ] || fail "one trial was green"
[ "$(value "townd_dispatches_total{outcome=\"started\",town=\"$id\"}")" = 2 ] || fail "two runs came to life"
[ "$(value "townd_side_effects_total{kind=\"land\",outcome=\"succeeded\",town=\"$id\"}")" = 1 ] || fail "one landing"
[ "$(value "townd_merge_queue_depth{rig=\"shop\",town=\"$id\"}")" = 0 ] || fail "the queue is empty"
if command -v promtool > /dev/null; then promtool check metrics < "$world/answer" || fail "promtool objects"; fi

# One decision can be followed to its effects and to what they came to.
log="$TOWND_DATA/townd.log"
line=$(grep 'msg=decided' "$log" | grep 'actions=dispatch_agent' | grep "bead=$bead" | head -n 1)
[ -n "$line" ] || fail "the dispatch of $bead is not in the log"
action=$(printf '%s' "$line" | sed -n 's/.* action=\([0-9.]*\).*/\1/p')
effect=$(grep 'msg="effect wanted"' "$log" | grep "action=$action " | sed -n 's/.* effect=//p' | head -n 1)
case $effect in start_agent:*) ;; *) fail "action $action asked for $effect" ;; esac
grep 'msg="effect ended"' "$log" | grep "action=$action " | grep -q "effect=$effect outcome=done" || fail "what $effect came to is not in the log"
grep -E 'msg=(decided|"effect wanted"|"invariant)' "$log" | grep -vq ' tick=[0-9]' && fail "a line of a tick does not name it"

# The same for people: one bead followed across its history, the facts, the decisions and the effects.
town log "$bead" > "$world/story" || fail "no story of $bead"
for line in "fact .* agent_done" "created" "decided $action  beads.assign" "effect  $effect  done" "decided .* reviews.verify" "effect  land:" "closed"; do
  grep -q -- "$line" "$world/story" || fail "the story of $bead lacks $line: $(cat "$world/story")"
done
town log "$bead" --json | grep -q "\"action\":\"$action\"" || fail "no action $action as JSON"

# A story that is longer than a page goes to its newest fact, and says what it leaves out.
busy=$(sling "Changes its mind" "true" --held) || fail "cannot give held work"
town log "$busy" --json | grep -q '"kind":"cut"' && fail "a short story says that it is cut"
for n in $(seq 510); do
  curl -sf --unix-socket "$TOWND_DATA/townd.sock" -X PATCH -H 'Content-Type: application/json' \
    -d "{\"title\":\"Title $n\"}" "http://localhost/api/towns/$id/beads/$busy" > /dev/null || fail "cannot change $busy"
done
town log "$busy" --json > "$world/story" || fail "no story of $busy"
[ "$(grep -c '"kind":"fact"' "$world/story")" -gt 510 ] || fail "the story has not all facts: $(grep -c '"kind":"fact"' "$world/story")"
grep -q '"kind":"cut"' "$world/story" || fail "it does not say that ticks are left out"

for kind in bead.created agent.spawned agent.exited review.submitted review.completed bead.closed reconciler_tick http.bead.sling; do
  grep -q "\"event\":\"$kind\"" "$TOWND_DATA/events.jsonl" || fail "there is no event $kind"
done
grep -q "\"event\":\"bead.closed\".*\"bead\":\"$bead\"" "$TOWND_DATA/events.jsonl" || fail "the end of $bead is not told"
grep -q "$token" "$log" "$TOWND_DATA/events.jsonl" && fail "a token is in the log"
true
