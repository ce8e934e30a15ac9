#!/usr/bin/env bash
# A real agent program does a bead in a repository with a dirty checkout, and its files stay as they are.
# No key and no network: the model is tests/runtime/mock-model.mjs. TOWND_AGENTS is a folder in which scripts/agents has
# installed them; without it, what PATH has is taken.
[ -z "${TOWND_AGENTS:-}" ] || export PATH="$TOWND_AGENTS/node_modules/.bin:$PATH"
skip() { echo "skipped: $*"; exit 77; }
command -v node > /dev/null || skip "node is not installed, and the model that never thinks needs it"
agents=$(for agent in claude codex gemini opencode qwen kilo; do command -v $agent > /dev/null && echo $agent; done)
[ -n "$agents" ] || skip "no agent program is installed; TOWND_AGENTS names no folder that has them"
. "$(dirname "$0")/world.sh"

# In the first attempt the agent program dies under its own tool; the second one must hear of that.
export MOCK_DUMP=1 MOCK_CMD='[ "$TOWN_ATTEMPT" != 1 ] || { kill -9 $PPID; exit 1; }
echo "made by $TOWN_AGENT" > made && git add made && git commit -qm "By the model" -m "Bead: $TOWN_BEAD" && town done'
mkfifo "$world/port"
node "$TOWN_SOURCE/tests/runtime/mock-model.mjs" 0 "$world/model" > "$world/port" &
model=$!
trap 'kill $model; end_world' EXIT
read -r -t 30 port < "$world/port" || fail "the model does not start"

export ANTHROPIC_BASE_URL="http://127.0.0.1:$port" ANTHROPIC_API_KEY=dummy ANTHROPIC_MODEL=mock-1
export CLAUDE_CONFIG_DIR="$world/claude" CODEX_HOME="$world/codex" OPENAI_API_KEY=dummy
mkdir "$CLAUDE_CONFIG_DIR" "$CODEX_HOME"
cat > "$CODEX_HOME/config.toml" <<END
model = "mock-1"
model_provider = "mock"
[model_providers.mock]
name = "mock"
base_url = "http://127.0.0.1:$port/v1"
env_key = "OPENAI_API_KEY"
wire_api = "responses"
END
export GEMINI_API_KEY=dummy GEMINI_MODEL=mock-1 GOOGLE_GEMINI_BASE_URL="http://127.0.0.1:$port"
export OPENAI_BASE_URL="http://127.0.0.1:$port/v1" OPENAI_MODEL=mock-1
mkdir "$HOME/.gemini" "$HOME/.qwen"
echo '{"security":{"auth":{"selectedType":"gemini-api-key"}}}' > "$HOME/.gemini/settings.json"
echo '{"security":{"auth":{"selectedType":"openai"}}}' > "$HOME/.qwen/settings.json"
OPENCODE_CONFIG_CONTENT=$(cat <<END
{"model":"mock/mock-1","small_model":"mock/mock-1","share":"disabled","enabled_providers":["mock"],
 "provider":{"mock":{"npm":"@ai-sdk/openai-compatible","name":"Mock",
 "options":{"baseURL":"http://127.0.0.1:$port/v1","apiKey":"dummy"},
 "models":{"mock-1":{"name":"Mock 1","tool_call":true,"limit":{"context":100000,"output":4096}}}}}}
END
)
export OPENCODE_CONFIG_CONTENT KILO_CONFIG_CONTENT=$OPENCODE_CONFIG_CONTENT
up

# state: everything in the checkout that its owner could miss.
state() { git symbolic-ref HEAD; git rev-parse HEAD; git status --porcelain; git diff; git diff --cached; cat ./*; }

# lands_with AGENT
lands_with() {
  make_repository "$1-shop"
  cd "$world/$1-shop" || exit 1
  printf 'test:\n\tsh test.sh\n' > Makefile
  git add Makefile
  git commit -qm "make test"
  git checkout -q -b mine
  echo "half done" >> file
  echo "half done" > staged && git add staged
  echo "a thought" > untracked
  local before id heard
  before=$(state)
  town new "$1" > /dev/null || fail "no town for $1"
  town init --town "$1" --branch main --preset "$1" > "$world/out" 2>&1 || fail "init: $(cat "$world/out")"
  grep -q "Agent: .* works" "$world/out" || fail "init did not hear from an agent program: $(cat "$world/out")"
  : > "$world/model.full"
  id=$(printf 'Turn it to eleven.' | town sling "Make the thing" --body - --town "$1" --get bead.bead_id) || fail "no bead"
  ends "$id" closed 120
  [ "$(merges_of "$1-shop" "$id")" = 1 ] || fail "$id was merged $(merges_of "$1-shop" "$id") times"
  git show main:made | grep -q "made by" || fail "main has not got the work of $1"
  [ "$(state)" = "$before" ] || fail "the checkout was touched: $(diff <(echo "$before") <(state))"

  heard=$(cat "$world/model.full")
  for part in "a worker agent" "Make the thing" "Turn it to eleven." "/$id" "make test" "Earlier attempts" "crashed"; do
    grep -qF -- "$part" <<< "$heard" || fail "\"$part\" did not reach the model of $1"
  done
  echo "$1 did $id, and it landed beside a dirty checkout"
}

for agent in $agents; do lands_with "$agent"; done
