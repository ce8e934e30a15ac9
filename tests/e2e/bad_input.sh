#!/usr/bin/env bash
# Bad input gets a sentence that says what to do, the right exit code, and changes nothing.
. "$(dirname "$0")/world.sh"

# refused CODE PATTERN COMMAND…
refused() {
  local code=$1 pattern=$2
  shift 2
  "$@" > "$world/out" 2>&1
  local got=$?
  [ $got -eq "$code" ] || fail "exit $got instead of $code from: $*: $(cat "$world/out")"
  grep -qiE -- "$pattern" "$world/out" || fail "no /$pattern/ from: $*: $(cat "$world/out")"
}

refused 2 'Did you mean "sling"' town slign
refused 2 'town sling --help' town sling
refused 2 '^{"error":.*"exit":2.*"hint":.*Did you mean .*sling.*}$' town slign --json
refused 2 '^{"error":.*TITLE.*"exit":2,"hint":"See: town sling --help"}$' town sling --json
refused 0 'Example' town convoy new --help
refused 5 'town up' town status
make_repository shop
up
refused 3 'town init' town status
refused 3 'no folder' town rig add "$world/none" --gate true
mkdir "$world/plain" "$world/empty" && git init -q "$world/empty" && git init -q --bare "$world/bare.git"
refused 3 'town init|no town' town sling x
town new shop > /dev/null
refused 2 'not a git repository' town rig add "$world/plain" --gate true
refused 2 'no commit' town rig add "$world/empty" --gate true
refused 2 'bare' town rig add "$world/bare.git" --gate true
git -C "$world/shop" checkout -q --detach
refused 2 'no branch' town rig add "$world/shop" --gate true
git -C "$world/shop" checkout -q main
rm "$world/shop/test.sh"
refused 2 'no-gates' town rig add "$world/shop"
git -C "$world/shop" checkout -q .
[ "$(town rig list --json)" = '[]' ] || fail "a refused rig was added"
refused 2 'name' town new '../x'
refused 2 'name|character' town new "$(printf 'a\033[31m')"
make_town other shop
refused 3 'no bead|shop-99|not' town show other-99 --town other
refused 3 '' town cancel other-99 --town other
refused 2 'title' town sling "$(head -c 600 /dev/zero | tr '\0' x)" --town other
refused 2 'control|line' town sling "$(printf 'a\nb')" --town other
head -c 300000 /dev/zero | tr '\0' x > "$world/long"
refused 2 'body' sh -c 'town sling long --town other --body - < "$0"' "$world/long"
[ "$(town beads --town other --json)" = '[]' ] || fail "refused work was taken: $(town beads --town other)"

a=$(sling "A" true --town other --held)
b=$(sling "B" true --town other --held --after "$a")
refused 2 'no title' town convoy new --town other - < /dev/null
printf 'title = "C"\n[[task]]\nname = "a"\ntitle = "A"\nafter = ["b"]\n[[task]]\nname = "b"\ntitle = "B"\nafter = ["a"]\n' > "$world/cycle.toml"
refused 2 'circle' town convoy new "$world/cycle.toml" --town other
printf 'title = "C"\n[[task]]\ntitel = "A"\n' > "$world/typo.toml"
refused 2 'did you mean "title"' town convoy new "$world/typo.toml" --town other
printf 'title = \n' > "$world/broken.toml"
refused 2 'broken.toml.*1' town convoy new "$world/broken.toml" --town other
refused 3 'Did you mean town.max_polecats' town config get max_polecat --town other
refused 3 '"error":"the answer has no .*max_polecat' town config --get town.max_polecat --town other
[ "$(town config --get town.max_polecats.value --town other)" = 5 ] || fail "a setting is not found by its key"
refused 0 'reconciler.backoff .*townd.toml' town config --town other
refused 0 'town.polecat_preset +tester +rig' town config --town other --rig shop
refused 2 'there is no preset "cluade"' town config set polecat_preset cluade --town other
refused 2 'there is no preset "cluade"' town rig add "$world/shop" --name second --town other --no-gates --preset cluade
# What was wrong is told in the words of town, not of the requests that it makes.
for asked in "sling x --after none --town other" "why none-1 --town other" "cancel other-99 --town other" "logs nobody --town other" \
  "convoy start other-99 --town other" "token revoke nobody" "log other-99 --town other" "config set max_polecats many --town other" \
  "nudge nobody hello --town other" "show other/99 --town other"; do
  # shellcheck disable=SC2086
  town $asked > "$world/out" 2>&1 && fail "town $asked is done"
  grep -qE 'GET|POST|PATCH|/api|route|request|openapi|see issues' "$world/out" && fail "town $asked speaks of HTTP: $(cat "$world/out")"
done
: > "$world/old.json"
for file in town old; do town export "$world/$file.json" --town other > /dev/null || fail "no export"; done
[ "$(stat -c %a "$world/town.json" "$world/old.json" | sort -u)" = 600 ] || fail "others can read what was exported"
refused 2 'max_polecats|number' town config set town.max_polecats many --town other
refused 4 'closed|open|state|failed' town reopen "$a"

# The daemon itself: a typo in its file, a port in use, a folder in use.
printf '[limits]\nmax_agent = 3\n' > "$world/typo.toml"
refused 1 'max_agents' town up --data "$world/data2" --config "$world/typo.toml" --listen 127.0.0.1:0
printf '[town]\nmayor_preset = "cluade"\n' > "$world/typo.toml"
refused 2 'no preset "cluade".*\[town\]' "$TOWN_BIN/townd" --data "$world/data3" --config "$world/typo.toml" --listen 127.0.0.1:0
refused 1 'in use|another' "$TOWN_BIN/townd" --data "$TOWND_DATA" --listen 127.0.0.1:0
printf 'a\033]0;x\007\xe2\x80\xae' > "$world/evil"
id=$(town sling "harmless" --body - --town other --held --get bead.bead_id < "$world/evil") || fail "a body with any bytes is refused"
town show "$id" > "$world/out"
grep -q "$(printf '\033')" "$world/out" && fail "an escape sequence reached the terminal"
true
