#!/usr/bin/env bash
# The mayor makes work of what people say to it, answers, and remembers the conversation in its next run.
. "$(dirname "$0")/world.sh"
make_repository shop
mkdir "$world/bin"
# A mayor without a model: it slings what the newest wish names, and says what it was told before.
cat > "$world/bin/town-agent" <<'END_OF_AGENT'
#!/bin/sh
cat > "$HOME/prompt"
# The newest word is the last one of the conversation that the prompt ends with.
wish=$(grep -v "^<" "$HOME/prompt" | grep . | tail -n 1)
case $wish in
  "make "*) id=$(town sling "${wish#make }" --body 'echo made > made; git add made; git commit -qm made -m "Bead: $TOWN_BEAD"; town done' \
              --rig shop --get bead.bead_id) && town reply "Slung $id." ;;
  "what did I say"*) town reply "$(grep -c '^To you:' "$HOME/prompt") words, the first of them: $(grep -o 'make it shine' "$HOME/prompt" | head -n 1)" ;;
  "say nothing"*) : ;;
  "do what you may not") town config set max_polecats 1 > /dev/null 2>&1 && town reply "I could." || town reply "I could not." ;;
esac
END_OF_AGENT
chmod +x "$world/bin/town-agent"
PATH="$world/bin:$PATH" up
make_town shop
town config set mayor_preset custom > /dev/null || fail "no preset for the mayor"

town talk "make it shine" > "$world/answer" || fail "no answer: $(cat "$world/answer"; town why "$(town agents --json | grep -o '"id":"[^"]*"' | head -n 1 | cut -d '"' -f 4)")"
id=$(grep -o 'shop-[0-9]*\|sh-[0-9]*' "$world/answer" | head -n 1)
[ -n "$id" ] || fail "the answer names no bead: $(cat "$world/answer")"
ends "$id" closed
[ "$(merges_of shop "$id")" = 1 ] || fail "$id was merged $(merges_of shop "$id") times"

printf 'what did I say?' | town talk - > "$world/answer" || fail "no second answer"
grep -q "2 words, the first of them: make it shine" "$world/answer" || fail "it forgot: $(cat "$world/answer")"
town talk "do what you may not" | grep -q "I could not" || fail "the mayor may change the town's settings"

# A mayor that says nothing is told apart from one that answers, and nothing waits for ever.
town talk "say nothing" > /dev/null 2> "$world/err" && fail "silence counted as an answer"
grep -q "without an answer" "$world/err" || fail "talk does not say why: $(cat "$world/err")"
town mail read | grep -q "No mail" || fail "answers that were shown are not read"

# What stands in its way is said at once.
town pause > /dev/null
town talk "make it shine again" > /dev/null 2> "$world/err" && fail "a paused town answered"
grep -q "cannot begin" "$world/err" || fail "talk does not say what holds the mayor: $(cat "$world/err")"
