#!/usr/bin/env bash
# No hole of the system before this one is open, and every security promise that can be tried from outside holds.
# Each attack says its name and what it got; the first that succeeds ends the test. What only a unit test can try is
# named in SECURITY.md beside what is tried here.
. "$(dirname "$0")/world.sh"

sprung="$world/sprung"   # whatever plants a trap lets it make this file
forge_secret="forge-secret-$RANDOM$RANDOM"
pattern="forg[e]${forge_secret#forge}"   # finds it and does not hold it
body_mark="body-mark-$RANDOM$RANDOM"
escape=$'\033'
turned=$'\xe2\x80\xae'   # U+202E: what follows is shown from right to left

# Who runs townd has a git configuration full of traps; so has the environment that townd is started in.
hostile="$world/hostile-home"
mkdir -p "$hostile/hooks" "$hostile/template/hooks"
for hook in post-checkout post-merge reference-transaction pre-commit post-commit pre-receive update post-receive \
  pre-push post-index-change; do
  printf '#!/bin/sh\necho "the owner'"'"'s hook %s" >> %s\n' "$hook" "$sprung" > "$hostile/hooks/$hook"
  chmod +x "$hostile/hooks/$hook"
  cp "$hostile/hooks/$hook" "$hostile/template/hooks/"
done
cat > "$hostile/.gitconfig" <<END_OF_CONFIG
[core]
  hooksPath = $hostile/hooks
  fsmonitor = "touch $sprung; false"
  pager = "touch $sprung; cat"
  sshCommand = "touch $sprung; ssh"
  editor = "touch $sprung; false"
  attributesFile = $hostile/attributes
[init]
  templateDir = $hostile/template
[alias]
  fetch = "!touch $sprung"
  merge = "!touch $sprung"
[filter "trap"]
  clean = "touch $sprung; cat"
  smudge = "touch $sprung; cat"
[merge "trap"]
  driver = "touch $sprung; false"
[diff]
  external = "touch $sprung; false"
[commit]
  gpgSign = true
[gpg]
  program = "touch $sprung; false"
[uploadpack]
  packObjectsHook = "touch $sprung; exec"
[protocol "ext"]
  allow = always
END_OF_CONFIG
printf '* filter=trap merge=trap diff=trap\n' > "$hostile/attributes"
printf 'max_dispatch_attempts = 1\n[log]\nlevel = "debug"\n' >> "$world/townd.toml"
sed -i 's/^max_agents = .*/max_agents = 6/' "$world/townd.toml"
sed -i 's|^input = .*|&\nmessage = "inbox"|' "$TOWND_DATA/presets/tester.toml"

HOME="$hostile" FAKE_FORGE_TOKEN="$forge_secret" GITHUB_TOKEN="$forge_secret" GH_TOKEN="$forge_secret" \
  NODE_ENV=development ENVIRONMENT=development TOWND_DEV=1 TOWND_ENV=development up
read -r address < "$TOWND_DATA/listen"
port=${address##*:}
admin=$(cat "$TOWND_DATA/admin.token")

# ---- how an attack is written down

# came_out NAME STATUS WANTED…: an attack got this answer and should have got one of those.
came_out() {
  local name=$1 status=$2 wanted
  shift 2
  for wanted in "$@"; do
    [ "$status" != "$wanted" ] || { echo "attack $name: refused ($status)"; return; }
  done
  fail "attack $name: answered $status instead of $*: $(head -c 500 "$world/answer" 2> /dev/null)"
}

# kept NAME COMMAND…: the command says that nothing has happened.
kept() {
  local name=$1
  shift
  "$@" || fail "attack $name: it went through"
  echo "attack $name: kept out"
}

# http [curl options…] PATH: the status; the body is in $world/answer.
http() {
  curl -sS -o "$world/answer" -w '%{http_code}' --max-time 20 --path-as-is "${@:1:$#-1}" "http://$address${!#}" ||
    fail "curl: ${*:1}"
}
as() { token=$1; shift; http -H "Authorization: Bearer $token" -H 'Content-Type: application/json' "$@"; }
# refused NAME STATUSES as|http …
refused() {
  local name=$1 wanted=$2 status
  shift 2
  status=$("$@") || exit 1
  # shellcheck disable=SC2086
  came_out "$name" "$status" $wanted
}

# raw NAME STATUSES: what is on standard input goes over the wire as it is; exactly one answer comes back.
raw() {
  local name=$1 wanted=$2 status
  exec {wire}<> "/dev/tcp/127.0.0.1/$port" || fail "no connection"
  cat >&"$wire"
  timeout 5 cat <&"$wire" > "$world/answer"
  exec {wire}>&-
  [ "$(grep -c '^HTTP/1.1 ' "$world/answer")" = 1 ] || fail "attack $name: not one answer: $(cat "$world/answer")"
  status=$(head -n 1 "$world/answer" | cut -d ' ' -f 2)
  # shellcheck disable=SC2086
  came_out "$name" "$status" $wanted
}

# knock TOKEN METHODS: calls every operation of openapi.json; prints a line `STATUS METHOD PATH` for each.
knock() {
  local method path number=0
  while read -r method path; do
    [[ $method =~ ^($2)$ ]] || continue
    number=$((number + 1))
    [ $number = 1 ] || echo next
    printf 'url = "http://%s%s"\nrequest = "%s"\nsilent\npath-as-is\nmax-time = 2\noutput = "%s/got/%s"\n' \
      "$address" "$path" "$method" "$world" "$number"
    printf 'write-out = "%%{http_code} %s %s\\n"\n' "$method" "$path"
    printf 'header = "Content-Type: application/json"\n'
    [ -z "$1" ] || printf 'header = "Authorization: Bearer %s"\n' "$1"
    [ "$method" = GET ] || printf 'data = "{}"\n'
  done < "$world/operations" > "$world/knocks"
  rm -rf "$world/got"
  mkdir "$world/got"
  curl -K "$world/knocks"
}

# ---- a town to attack, with a second rig, and another town

make_repository shop
make_repository yard
make_repository own
make_repository far
# A gate has no token and reaches nobody; were it otherwise, nothing would be merged.
cat > "$world/shop/test.sh" <<END_OF_GATE
if env | grep -e TOWN_TOKEN= -e GASTOWN_CONTAINER_TOKEN= -e '$pattern'; then echo "a gate has a token"; exit 1; fi
if curl -s -m 2 http://$address/healthz; then echo "a gate has a network"; exit 1; fi
if cat $TOWND_DATA/admin.token; then echo "a gate reads the data folder"; exit 1; fi
if cat /proc/[0-9]*/environ | grep -qa TOWN_TOKEN=; then echo "a gate sees its refinery's token"; exit 1; fi
END_OF_GATE
git -C "$world/shop" commit -q --allow-empty -am "a gate that looks around" || fail "no gate"
(HOME="$hostile"; git -C "$world/yard" checkout -qb spring && git -C "$world/yard" branch -q -f spring main) > \
  /dev/null 2>&1
[ -e "$sprung" ] || fail "the traps are no traps"
git -C "$world/yard" checkout -q main && rm "$sprung" || fail "cannot set the traps again"
make_town shop
for rig in yard own; do
  town rig add "$world/$rig" --town shop --name $rig --no-gates --preset tester > /dev/null || fail "no rig $rig"
done
make_town far
export TOWN_ID=shop
curl -sS "http://$address/openapi.json" -H "Authorization: Bearer $admin" > "$world/openapi.json" || fail "no openapi"

rig_of() { town rig list --json | grep -o '"rig_id":"[^"]*","name":"[^"]*"' | grep "\"name\":\"$1\"" | cut -d '"' -f \
  4; }
shop=$(rig_of shop)
yard=$(rig_of yard)
[ -n "$shop" ] && [ -n "$yard" ] || fail "no rigs: $(town rig list --json)"
town="/api/towns/shop"
held=$(sling "Nobody does this" "echo $body_mark" --rig shop --held)
far_bead=$(sling "Elsewhere" true --town far --held)
viewer=$(town token new viewer --id screen --get token) || fail "no viewer"
operator=$(town token new operator --id helper --get token) || fail "no operator"
# METHOD PATH of every operation, with real ids where there are any.
grep -oE '"/[^"]*":\{|"(get|post|put|patch|delete)":\{"operationId' "$world/openapi.json" |
  awk -F '"' '$2 ~ /^\// { path = $2; next } { print toupper($2), path }' |
  sed "s/{town}/shop/; s/{rig}/$shop/; s/{bead}/$held/; s/{id}/$held/; s/{n}/1/; s/{[a-z]*}/none/" > "$world/operations"
[ "$(wc -l < "$world/operations")" -gt 80 ] || fail "openapi.json lists too little: $(cat "$world/operations")"

# ---- a request that never ends is dripped while the rest goes on

drip() {
  local began=$EPOCHREALTIME line code
  exec {wire}<> "/dev/tcp/127.0.0.1/$port" || exit 1
  printf 'GET /healthz HTTP/1.1\r\nHost: %s\r\n' "$address" >&"$wire"
  for _ in {1..40}; do
    read -r -t 0.5 -u "$wire" line; code=$?
    if [ $code -ne 0 ] && [ $code -le 128 ]; then break; fi
    printf 'X-Slow: 1\r\n' >&"$wire" || break
  done
  echo "$began $EPOCHREALTIME ${line:-nothing}" | tr -d '\r' > "$world/dripped"
}
drip 2> /dev/null &
dripper=$!

# ---- the door

refused "DNS rebinding" 421 http -H 'Host: evil.example' /healthz
refused "DNS rebinding with a name like ours" 421 http -H 'Host: 127.0.0.1.evil.example' /healthz
refused "DNS rebinding with the admin token" 421 as "$admin" -H "Host: evil.example:$port" /api/towns
refused "a page from elsewhere" 403 as "$admin" -H 'Origin: https://evil.example' /api/towns
refused "a page without an origin" 403 as "$admin" -H 'Origin: null' -d '{"name":"x"}' /api/towns
refused "a page on another port" 403 as "$admin" -H 'Origin: http://127.0.0.1:1' -d '{"name":"x"}' /api/towns
refused "a preflight" "401 403 404 405" http -X OPTIONS -H 'Origin: https://evil.example' \
  -H 'Access-Control-Request-Method: POST' /api/towns
for type in text/plain application/x-www-form-urlencoded 'multipart/form-data; boundary=x' application/jsonp ''; do
  refused "a form that posts '$type'" 415 http -H "Authorization: Bearer $admin" -H "Content-Type:${type:+ $type}" \
    -d '{"name":"x"}' /api/towns
done
refused "the token in the address" 401 http "/api/towns?token=$admin"
refused "the token as a cookie" 401 http -H "Cookie: token=$admin" /api/towns
refused "the token as a password" 401 http -u "admin:$admin" /api/towns
[ "$(town token list --json | grep -o '"id"' | wc -l)" = 3 ] || fail "there is another token: $(town token list)"
[ "$(as "$admin" /api/towns)" = 200 ] && [ "$(grep -o '"town_id"' "$world/answer" | wc -l)" = 2 ] ||
  fail "a refused request made a town: $(cat "$world/answer")"

# ---- every operation, without a token and with a viewer's

knock "" '.*' > "$world/knocked"
open=$(grep -v '^40[13] ' "$world/knocked")
[ "$open" = "200 GET /healthz" ] || fail "attack no token: let in: $open"
echo "attack no token on $(wc -l < "$world/knocked") operations: refused (401), all but /healthz and webhooks, which are signed (403)"
knock "$viewer" 'POST|PATCH|PUT|DELETE' > "$world/knocked"
open=$(grep -v '^403 ' "$world/knocked")
[ -z "$open" ] || fail "attack a viewer that writes: let in: $open"
echo "attack a viewer that writes, $(wc -l < "$world/knocked") operations: refused (403)"
refused "an operator that makes itself admin" 403 as "$operator" -d '{"role":"admin"}' /api/tokens
refused "an operator that lists tokens" 403 as "$operator" /api/tokens
refused "a made-up role" 400 as "$admin" -d '{"role":"mayor"}' /api/tokens
refused "a config that takes the town over" 400 as "$admin" -X PATCH -d '{"owner_user_id":"me"}' $town/config
refused "an operator's config with an owner" 400 as "$operator" -X PATCH -d '{"organization_id":"me"}' $town/config
refused "a path on a command" 400 as "$admin" -d "{\"name\":\"x\",\"git_url\":\"--upload-pack=touch $sprung\"}" \
  $town/rigs
refused "a password in an address" 400 as "$admin" -d '{"name":"x","git_url":"https://me:secret@127.0.0.1:1/x"}' \
  $town/rigs

# ---- routes and tickets of the system before this one

for path in /container/agents/start /api/towns/shop/container/agents/start /api/towns/shop/container-events \
  /api/towns/shop/rigs/$shop/agents/x/db-snapshot /api/towns/shop/container-registry \
  /api/towns/shop/refresh-container-token /debug/towns/shop/send-message /mcp /terminal; do
  refused "an old route, nobody at $path" "401 404" http -H 'Content-Type: application/json' -d '{"prompt":"x"}' "$path"
  refused "an old route, the admin at $path" 404 as "$admin" -d '{"prompt":"x"}' "$path"
done
refused "a stream without a token" 401 http $town/stream
refused "a stream with a ticket" 401 http "$town/stream?ticket=1&token=$admin"
refused "an agent's output without a token" 401 http "$town/agents/x/log?follow=1"

# ---- tricks with paths

for path in '/healthz/../api/tokens' '/healthz/..%2fapi/tokens' '/healthz/%2e%2e/api/tokens' '//api/tokens' \
  '/api//tokens' '/api/tokens/' '/api/tokens%00' '/api/tokens%00/healthz' '/api/tokens;/healthz' '/%61pi/tokens' \
  '/api/tokens%3f/healthz' '/api/tokens/healthz' '/api/towns/healthz' '/api/towns/shop/container/x' '/HEALTHZ' \
  '/api/towns/..%2f..%2fhealthz/config' '/healthz%2f..%2fapi%2ftokens' '/api/tokens?/healthz' '/healthz%20' \
    '/api/tokens#/healthz'; do
  refused "nobody at $path" "400 401 404" http "$path"
done
for path in '/api/towns/..%2ffar/beads' '/api/towns/%2e%2e/beads' '/api/towns/shop%00/beads' '/api/towns/shop%2fbeads' \
  '/api/towns/shop/rigs/..%2f..%2ffar' "/api/towns/shop/agents/..%2f..%2fadmin.token/log" \
    '/api/towns/shop/../../healthz' \
  "/api/towns/shop/rigs/$yard/beads/$held" "/api/towns/far/beads/$held" "/api/towns/shop/beads/$far_bead"; do
  refused "the admin at $path" "400 404" as "$admin" "$path"
done
refused "a delete by way of another rig" 404 as "$admin" -X DELETE "/api/towns/shop/rigs/$yard/beads/$held"
refused "a status by way of another rig" 404 as "$admin" -X PATCH -d '{"status":"closed"}' \
  "/api/towns/shop/rigs/$yard/beads/$held/status"
is "$held" open || fail "$held is $(status_of "$held")"

# ---- smuggled and oversized requests

lines() { printf '%s\r\n' "$@"; }
inner="GET /api/tokens HTTP/1.1"$'\r\n'"Host: $address"$'\r\n'"Authorization: Bearer $admin"$'\r\n\r\n'
post=("POST /healthz HTTP/1.1" "Host: $address" "Content-Type: application/json")
raw "two lengths" 400 < <(lines "${post[@]}" "Content-Length: 0" "Content-Length: ${#inner}" "" "$inner")
raw "two lengths in a list" 400 < <(lines "${post[@]}" "Content-Length: 0, ${#inner}" "" "$inner")
raw "a length that is signed" 400 < <(lines "${post[@]}" "Content-Length: +0" "" "$inner")
raw "a length and chunks" 400 < \
  <(lines "${post[@]}" "Content-Length: 4" "Transfer-Encoding: chunked" "" "0" "" "$inner")
raw "chunks and a length" 400 < \
  <(lines "${post[@]}" "Transfer-Encoding: chunked" "Content-Length: 4" "" "0" "" "$inner")
raw "a chunk's size that is no number" 400 < <(lines "${post[@]}" "Transfer-Encoding: chunked" "" "0x0" "" "$inner")
raw "a space before the colon" 400 < <(lines "${post[@]}" "Content-Length : ${#inner}" "" "$inner")
raw "a line that goes on" "400 401" < \
  <(lines "GET /api/tokens HTTP/1.1" "Host: $address" "X: y" " Authorization: Bearer $admin" \
  "Connection: close" "" "")
raw "two hosts" 400 < <(lines "GET /healthz HTTP/1.1" "Host: $address" "Host: evil.example" "" "")
raw "no host" "400 421" < <(lines "GET /healthz HTTP/1.1" "Connection: close" "" "")
raw "two tokens" 400 < <(lines "GET /api/tokens HTTP/1.1" "Host: $address" "Authorization: Bearer x" \
  "Authorization: Bearer $admin" "" "")
raw "an address that names another host" "400 421" < <(lines "GET http://evil.example/healthz HTTP/1.1" \
  "Host: $address" "Connection: close" "" "")
raw "a NUL in a header" 400 < <(printf 'GET /healthz HTTP/1.1\r\nHost: %s\r\nX: a\0b\r\n\r\n' "$address")
raw "what is not HTTP" 400 < <(printf '\026\003\001\002\000\001\000\r\n\r\n')
raw "headers of 17 KiB" 431 < <(lines "GET /healthz HTTP/1.1" "Host: $address"; for i in {1..17}; do
  printf 'X-%s: %01000d\r\n' "$i" 0; done; lines "")
long() { head -c "$1" /dev/zero | tr '\0' x; }
json() { printf '{"%s":"' "$1"; long "$2"; printf '"%s}' "${3:-}"; }
json name 1100000 > "$world/big"
refused "a body over 1 MiB" 413 as "$admin" --data-binary "@$world/big" /api/towns
refused "a body over 1 MiB in chunks" 413 as "$admin" -H 'Transfer-Encoding: chunked' --data-binary "@$world/big" \
  /api/towns
too_long() {
  json "$2" "$3" "${4:-}" > "$world/big"
  refused "$1" "400 413" as "$admin" --data-binary "@$world/big" "$5"
}
too_long "a title of 501 characters" title 501 "" $town/rigs/$shop/sling
too_long "a body of more than 256 KiB" body 262145 ',"title":"x","held":true' $town/rigs/$shop/sling
too_long "a nudge without end" message 16385 ',"target_agent_id":"x"' $town/rigs/$shop/nudge
too_long "mail without end" body 16385 ',"to_agent_id":"x","subject":"s"' $town/rigs/$shop/mail
labels=$(printf ',"l%s"' {1..51})
refused "51 labels" "400 413" as "$admin" -d "{\"title\":\"x\",\"held\":true,\"labels\":[${labels:1}]}" \
  $town/rigs/$shop/sling
deep=$(long 100000 | tr x '[')
printf '{"title":"x","metadata":%s' "$deep" > "$world/big"
refused "JSON 100,000 deep" 400 as "$admin" --data-binary "@$world/big" $town/rigs/$shop/sling

# ---- guessing and crowding

for i in {1..60}; do
  [ "$i" = 1 ] || echo next
  printf 'url = "http://%s/api/towns"\nheader = "Authorization: Bearer %064d"\nsilent\noutput = "/dev/null"\n' \
    "$address" "$i"
  printf 'write-out = "%%{http_code}\\n"\n'
done > "$world/guesses"
curl -K "$world/guesses" > "$world/guessed"
[ "$(grep -c -x -e 401 -e 429 "$world/guessed")" = 60 ] || fail \
  "attack guessed tokens: $(sort "$world/guessed" | uniq -c)"
grep -qx 429 "$world/guessed" || fail "attack guessed tokens: nobody says 429: $(sort "$world/guessed" | uniq -c)"
[ "$(as "$admin" /api/towns)" = 200 ] || fail "who guesses keeps the owner out"
echo "attack 60 guessed tokens: refused (401, then 429), the owner is not held up"

crowd=()
for _ in {1..600}; do
  exec {wire}<> "/dev/tcp/127.0.0.1/$port" || fail "connection ${#crowd[@]} is not taken"
  crowd+=("$wire")
done
turned_away=0
for wire in "${crowd[@]:520}"; do
  if read -r -t 5 -u "$wire" line && [[ $line = 'HTTP/1.1 503 '* ]]; then turned_away=$((turned_away + 1)); fi
done
for wire in "${crowd[@]}"; do exec {wire}>&-; done
[ "$turned_away" = 80 ] || fail "attack 600 connections: only $turned_away of the last 80 were turned away"
answers() { [ "$(http /healthz)" = 200 ]; }
within 10 answers || fail "nobody is answered after 600 connections"
echo "attack 600 connections at once: refused (503) beyond 512, answered again afterwards"

# ---- agents that attack

work='echo $TOWN_BEAD > $TOWN_BEAD; git add $TOWN_BEAD; git commit -qm work -m "Bead: $TOWN_BEAD"'
remember='env > "$HOME/env"'
mkdir "$world/victim"
townd_pid=$(cat "$TOWND_DATA/townd.lock")
bare="$TOWND_DATA/rigs/$shop/repo.git"
holder=$(sling "Waits with its token" "$remember; rm -rf .git/town; ln -s $world/victim .git/town
$waits; $work; town done" --rig shop)
neighbour=$(sling "Is somebody else" "$remember; $waits; $work; town done" --rig yard)

# What a thief tries in its sandbox; each line of its output says what came of one attempt.
thief=$(sling "Steals" "
try() { if sh -c \"\$2\" < /dev/null > /dev/null 2>&1; then echo \"OUT: \$1\"; else echo \"kept: \$1\"; fi; }
try 'reads the admin token' 'cat $TOWND_DATA/admin.token'
try 'reads the database' 'cat $TOWND_DATA/townd.db'
try 'reads other homes' 'cat $hostile/.gitconfig || find /root /home -mindepth 1 | grep .'
try 'reads other clones' 'ls -d $TOWND_DATA/clones/* | grep -v \$TOWN_RUN'
try 'reads by a link' 'ln -s $TOWND_DATA/admin.token l; cat l'
try 'reads the environment of others' 'cat /proc/[0-9]*/environ | grep -qa \"$pattern\"'
try 'writes the bare repository' 'touch $bare/hooks/post-update || echo evil > $bare/refs/heads/evil'
try 'pushes to the bare repository' 'git push $bare HEAD:refs/heads/evil'
try 'writes the owner'\"'\"'s repository' 'touch $world/shop/file && cat $world/shop/test.sh'
try 'writes its own record' 'echo evil > $TOWND_DATA/runs/\$TOWN_RUN/status'
try 'writes the system' 'touch /usr/bin/evil || touch /etc/evil'
try 'ends townd' 'test -d /proc/$townd_pid/task && kill -0 $townd_pid'
try 'sees other processes' 'cat /proc/[0-9]*/comm | grep -x -e townd -e townd-shim'
try 'reaches townd.sock' 'curl -sf --unix-socket $TOWND_DATA/townd.sock http://localhost/api/towns'
try 'uses town as its owner' 'env -u TOWN_TOKEN -u TOWN_SOCKET town status --data $TOWND_DATA'
try 'uses agent.sock without a token' 'curl -sf --unix-socket \$TOWN_SOCKET http://localhost/api/towns/shop'
try 'uses http without a token' 'curl -sf \$GASTOWN_API_URL/api/towns/shop'
try 'cancels the work of others' 'town cancel $held'
try 'changes the config' 'town config set town.max_polecats 1'
try 'makes a token' 'town token new admin'
try 'reads engine sockets' 'ls /run/docker.sock /var/run/docker.sock /run/user'
try 'gains rights' 'test -w /proc/sysrq-trigger && unshare -m true && mount -t tmpfs none /mnt'
$work; town done" --rig shop)

# What is planted in a clone's .git and beside it does nothing, and the work is merged.
plants=$(sling "Plants" "$work
ln -s $TOWND_DATA/admin.token stolen; git add stolen; git commit -qm 'a link' -m \"Bead: \$TOWN_BEAD\"
commit=\$(git rev-parse HEAD)
mkfifo pipe .git/pipe .git/hooks.pipe
truncate -s 1T giant .git/giant
mkdir -p .git/hooks .git/evil
for hook in post-checkout post-merge reference-transaction pre-receive update post-index-change; do
  printf '#!/bin/sh\ntouch $sprung\n' > .git/hooks/\$hook; chmod +x .git/hooks/\$hook; cp .git/hooks/\$hook .git/evil/
done
git config core.hooksPath \$PWD/.git/evil
git config core.fsmonitor 'touch $sprung'
git config core.sshCommand 'touch $sprung'
git config core.alternateRefsCommand 'touch $sprung'
git config core.worktree $world/shop
git config uploadpack.packObjectsHook 'touch $sprung;'
git config filter.trap.smudge 'touch $sprung'
git config filter.trap.clean 'touch $sprung'
git config url.ext::sh.insteadOf /
git config include.path /proc/self/mem
echo '* filter=trap' > .git/info/attributes
town done --branch \$TOWN_BRANCH --commit \$commit" --rig shop)

# A clone whose .git leads elsewhere is not read.
leads=$(sling "Leads elsewhere" "$work; commit=\$(git rev-parse HEAD); mv .git ../moved 2> /dev/null || mv .git moved
ln -s $TOWND_DATA/rigs/$yard/repo.git .git; town done --branch \$TOWN_BRANCH --commit \$commit" --rig shop)

# A request that changes what the repository says about itself needs a person.
says=$(sling "Changes .town" "mkdir .town; echo 'gates = [\"touch $sprung\"]' > .town/town.toml
git add .town; $work; town done" --rig own)
# Words that would steer a terminal or forge a line, wherever an agent may put words.
evil="${escape}]52;c;ZXZpbA==${escape}\\\\${escape}[31m$turned"
speaks=$(sling "Speaks ${turned}backwards" "evil=\$(printf '\033]52;c;ZXZpbA==\007\033[31m\342\200\256')
printf '%s\n2026-01-01T00:00:00.000Z level=error msg=forged\n' \"\$evil\"
town say \"\$evil\" || true
town escalate \"Help \$(printf '\342\200\256')\" --body \"\$evil
level=error msg=forged\" || true
town checkpoint \"\$evil\" || true
git branch \"\$(printf 'b\342\200\256')\" || true
printf '%s\n' \"\$evil\" > \"\$evil\"; git add -A
git -c user.name=\"x\$evil\" commit -qm \"\$evil\" -m \"Bead: \$TOWN_BEAD\"
town done --branch \"\$evil\" && echo OUT
town fail --reason \"\$evil
2026-01-01T00:00:00.000Z level=error msg=forged\"" --rig shop)

# ---- what a run's token is good for

agent_of() { town show "$1" --get assignee_agent_bead_id; }
env_of() { echo "$TOWND_DATA/homes/$(runs_of "$1" | tail -n 1)/home/env"; }
token_in() { sed -n 's/^TOWN_TOKEN=//p' "$(env_of "$1")"; }
for bead in "$holder" "$neighbour"; do within 40 waiting "$bead" || fail \
  "nobody waits with $bead: $(town why "$bead")"; done
agent=$(agent_of "$holder")
other=$(agent_of "$neighbour")
token=$(token_in "$holder")
other_token=$(token_in "$neighbour")
[ -n "$token" ] && [ -n "$other_token" ] && [ "$agent" != "$other" ] || fail "no tokens"
breath() { read -r -t 0.2 -u "$breathing" _; true; }   # a run's token has 20 requests in a second
mkfifo "$world/breath" && exec {breathing}<> "$world/breath"
robbed() { local name=$1 wanted=$2; shift 2; breath; refused "$name" "$wanted" as "$token" "$@"; }
[ "$(as "$token" "$town/agents/$agent/prime")" = 200 ] || fail "the token is good for nothing: $(cat "$world/answer")"

robbed "a forged X-Gastown-Agent-Id" 403 -H "X-Gastown-Agent-Id: $other" "$town/agents/$agent/prime"
robbed "a forged id with the path to match" 403 -H "X-Gastown-Agent-Id: $other" "$town/agents/$other/prime"
robbed "another agent's prime" 403 "$town/agents/$other/prime"
robbed "another agent's done" 403 -d '{}' "$town/agents/$other/done"
robbed "another agent's done by way of its own rig" 403 -d '{}' "$town/rigs/$shop/agents/$other/done"
robbed "another agent's output" 403 "$town/agents/$other/log"
robbed "mail in another's name" 403 -d \
  "{\"from_agent_id\":\"$other\",\"to_agent_id\":\"$agent\",\"subject\":\"s\",\"body\":\"b\"}" $town/mail
robbed "another rig's beads" 403 "$town/rigs/$yard/beads"
robbed "a bead of another rig" 403 "$town/beads/$neighbour"
robbed "a bead of another rig by way of its own" 403 "$town/rigs/$shop/beads/$neighbour"
robbed "mail to another rig" "403 404" -d "{\"to_agent_id\":\"$other\",\"subject\":\"s\",\"body\":\"b\"}" \
  "$town/rigs/$yard/mail"
robbed "mail to another rig by way of its own" "403 404" -d \
  "{\"to_agent_id\":\"$other\",\"subject\":\"s\",\"body\":\"b\"}" "$town/mail"
robbed "a nudge to another rig by way of its own" "403 404" -d "{\"target_agent_id\":\"$other\",\"message\":\"m\"}" \
  "$town/nudge"
robbed "another town" 403 /api/towns/far
robbed "another town's beads" 403 /api/towns/far/beads
robbed "another town's mayor tools" 403 -d "{\"title\":\"x\",\"rig_id\":\"far\"}" /api/mayor/far/tools/sling
robbed "the mayor's sling" 403 -d "{\"title\":\"x\",\"rig_id\":\"$shop\"}" /api/mayor/shop/tools/sling
robbed "the mayor's delete" 403 -X DELETE "/api/mayor/shop/tools/rigs/$shop/beads/$held"
robbed "the mayor's reset" 403 -d '{}' "/api/mayor/shop/tools/rigs/$yard/agents/$other/reset"
robbed "the mayor's list" 403 "/api/mayor/shop/tools/rigs"
robbed "the town's config" 403 "$town/config"
robbed "a change of the config" 403 -X PATCH -d '{"max_polecats":1}' "$town/config"
robbed "a change of its rig" 403 -X PATCH -d '{"config":{"sandbox":"none"}}' "$town/rigs/$shop"
robbed "the tokens" 403 /api/tokens
robbed "a token of its own" 403 -d '{"role":"admin"}' /api/tokens
robbed "the whole town" 403 "$town/snapshot"
robbed "the events" 403 "$town/events"
robbed "the stream" 403 "$town/stream"
robbed "a dry run" 403 -d '{}' "/debug/towns/shop/reconcile-dry-run"
robbed "closing its own work" 409 -d '{}' "$town/beads/$holder/close"
robbed "closing other work" 409 -d '{}' "$town/beads/$held/close"
robbed "sending work back as if it were the refinery" 409 -d '{"feedback":"no"}' "$town/agents/$agent/request-changes"
review=$(town reviews --json | grep -o '"bead_id":"[^"]*"' | head -n 1 | cut -d '"' -f 4)
breath
as "$token" -d "{\"base\":\"x\",\"requests\":[\"${review:-none}\"],\"outcome\":\"green\"}" \
  "$town/agents/$agent/trial-result" > /dev/null
kept "a green trial as if it were the refinery" grep -q \
  '"note":"not a trial of this request"\|"note":"the request has ended"' "$world/answer"
for branch in '../../x' '-x' 'a\u202eb' 'a\u001b[31m' 'a b' 'a..b' 'HEAD' 'a\nb' '$(touch x)'; do
  robbed "a branch called $branch" 400 -d "{\"branch\":\"$branch\"}" "$town/agents/$agent/done"
done
is "$holder" in_progress || fail "$holder is $(status_of "$holder")"
refused "the admin's token on agent.sock" 403 as "$admin" --unix-socket "$TOWND_DATA/door/agent.sock" /api/towns
refused "nobody on agent.sock" 401 http --unix-socket "$TOWND_DATA/door/agent.sock" /api/towns
refused "a run's token on townd.sock" 403 as "$token" --unix-socket "$TOWND_DATA/townd.sock" /api/tokens

for i in {1..200}; do
  [ "$i" = 1 ] || echo next
  printf 'url = "http://%s%s"\nheader = "Authorization: Bearer %s"\nsilent\noutput = "/dev/null"\n' "$address" \
    "$town" "$token"
  printf 'write-out = "%%{http_code}\\n"\n'
done > "$world/flood"
curl -K "$world/flood" > "$world/flooded"
grep -qx 429 "$world/flooded" || fail "attack 200 requests of one run: $(sort "$world/flooded" | uniq -c)"
[ "$(as "$other_token" "$town/agents/$other/prime")" = 200 ] || fail "one run's flood keeps another out"
echo "attack 200 requests of one run: refused (429), others are not held up"

# ---- what came of the agents

# A nudge is written into the clone, but never through a link that stands in its way.
town nudge "$agent" "$evil" > /dev/null 2>&1
town nudge "$agent" "Look at the clock" > /dev/null || fail "no nudge"
go "$holder"
go "$neighbour"
ends "$holder" closed
ends "$neighbour" closed
kept "a nudge by a link" [ -z "$(ls -A "$world/victim")" ]
[ "$(as "$token" -d '{"status":"completed"}' "$town/agents/$agent/completed")" != 401 ] ||
  fail "a run that has ended cannot say so late"
for last in prime mail; do refused "an ended run's $last" 401 as "$token" "$town/agents/$agent/$last"; done
for last in heartbeat checkpoint status fail request-changes; do
  breath
  refused "an ended run's $last" 401 as "$token" -d '{"message":"x","data":{},"reason":"x","feedback":"x"}' \
    "$town/agents/$agent/$last"
done

ends "$thief" closed
said() { town logs "$(agent_of "$1")" --run "$(runs_of "$1" | tail -n 1)"; }
tried=$(said "$thief")
[[ $tried != *OUT:* ]] || fail "attack from a sandbox: $tried"
[ "$(grep -c '^kept: ' <<< "$tried")" = 22 ] || fail "the thief did not try everything: $tried"
sed -n 's/^kept: \(.*\)/attack an agent that \1: kept out/p' <<< "$tried"
kept "an agent that ends townd" [ "$(cat "$TOWND_DATA/townd.lock")" = "$townd_pid" ]
kept "an agent that pushes" [ -z "$(git -C "$bare" for-each-ref refs/heads/evil)" ]
usual='PATH|HOME|LANG|TERM|TZ|TMPDIR|PWD|OLDPWD|SHLVL|_|(TOWN|GASTOWN)_[A-Z_]+'
names=$(cut -d = -f 1 "$(env_of "$holder")" | grep -vxE "$usual")
kept "a variable from townd's environment" [ -z "$names" ]
kept "a forge token in an agent's environment" eval '! grep -q "$forge_secret" "$(env_of "$holder")"'

ends "$plants" closed
[ "$(merges_of shop "$plants")" = 1 ] || fail "$plants was merged $(merges_of shop "$plants") times"
echo "attack hooks, filters and programs in a clone: kept out, the work is merged"
[ "$(id -u)" = 0 ] || echo "attack a gate that looks for a token, a network and the data folder: kept out"
not_merged() { [ "$(merges_of shop "$1")$(merges_of own "$1")" = 00 ] && ! is "$1" closed; }
reason() { town why "$1"; town show "$1"; town escalations; }
waits_for_person() { reason "$1" | grep -qi "$2"; }
request_failed() { is "$(town show "$leads" --get requests.0)" failed; }
within 30 request_failed || fail "the request of $leads goes on: $(reason "$leads")"
kept "a clone that leads elsewhere" not_merged "$leads"
within 30 waits_for_person "$says" '\.town' || fail "nobody says why $says is not merged: $(reason "$says")"
kept "a change of .town without a person" not_merged "$says"
kept "everything that was planted" [ ! -e "$sprung" ]

# ---- what is shown

ends "$speaks" failed
[[ $(said "$speaks") != *OUT* ]] || fail "a branch of control characters is taken"
speaker=$(agent_of "$speaks")
for command in status beads agents reviews escalations convoys log "log $speaks" "show $speaks" "why $speaks" \
  "show $speaker" \
  "why $speaker" "logs $speaker" "config list" "mail list" "diff $holder"; do
  # shellcheck disable=SC2086
  town $command > "$world/shown" 2>&1
  ! LC_ALL=C grep -q -e "$escape" -e "$turned" -e $'\a' "$world/shown" || fail \
    "attack words in town $command: $(cat -v "$world/shown")"
  # A body and an agent's output have lines of their own; nothing else has.
  [[ $command = "logs $speaker" || $command = "show $speaks" ]] || ! grep -q '^20[^ ]* level=error' "$world/shown" ||
    fail "attack a forged line in town $command: $(cat "$world/shown")"
done
echo "attack words that steer a terminal: shown escaped in 16 commands"
refused "a title with an escape" 400 as "$admin" -d '{"title":"a\u001b[31m","held":true}' "$town/rigs/$shop/sling"
refused "a title of two lines" 400 as "$admin" -d '{"title":"a\nlevel=error msg=forged","held":true}' \
  "$town/rigs/$shop/sling"
refused "a name that is a path" 400 as "$admin" -d '{"name":"../x"}' /api/towns
http -H "X-Forged: $turned" "/api/$(printf 'a%%0alevel=error%%20msg=forged%%1b')" > /dev/null
kept "a forged line in townd.log" eval \
  '! grep -qvE "^20[0-9T:.-]+Z level=(debug|info|warn|error) msg=" "$TOWND_DATA/townd.log"'
kept "control characters in townd.log" eval '! LC_ALL=C grep -q -e "$escape" -e "$turned" "$TOWND_DATA/townd.log"'

# ---- what is secret

town export "$world/export.json" > /dev/null || fail "no export"
town config list > "$world/config.txt"
town rig list --json >> "$world/config.txt"
sed -i "s/none/$agent/" "$world/operations"
knock "$admin" GET > "$world/knocked"
grep -q "^200 GET $town/agents/$agent/log" "$world/knocked" || fail "not everything was read: $(cat "$world/knocked")"
grep -q . "$world/export.json" || fail "nothing was exported"
for secret in "$admin" "$viewer" "$operator" "$token" "$other_token" "$forge_secret"; do
  # A run's token is in the agent's own environment and nowhere else; of the others not even the hash is shown.
  if grep -rqF -e "$secret" -e "$(printf %s "$secret" | sha256sum | cut -d ' ' -f 1)" "$world/got" \
    "$world/export.json" \
    "$world/config.txt" "$TOWND_DATA/townd.log" "$TOWND_DATA/runs"; then
    fail "attack a secret: $(grep -rlF "$secret" "$world" --exclude=env --exclude=admin.token)"
  fi
  ! grep -qaF "$secret" "$TOWND_DATA"/townd.db* || fail "attack a secret: one is in the database"
done
echo "attack secrets: in no log, no export, no database and none of $(wc -l < "$world/knocked") answers"
kept "a request's body in townd.log" eval '! grep -qF "$body_mark" "$TOWND_DATA/townd.log"'
for file in .:700 door:700 admin.token:600 townd.sock:600 door/agent.sock:600 townd.db:600 townd.log:600 clones:700 \
  runs:700 homes:700; do
  kept "${file%:*} opened by another user" [ "$(stat -c %a "$TOWND_DATA/${file%:*}")" = "${file#*:}" ]
done
town token revoke screen > /dev/null || fail "not revoked"
refused "a revoked token" 401 as "$viewer" /api/towns

wait "$dripper"
read -r began ended line < "$world/dripped" || fail "the slow request is not closed"
lasted=$(((${ended/./} - ${began/./}) / 1000))
[ "$lasted" -ge 8000 ] && [ "$lasted" -le 17000 ] && [[ $line != *200* ]] || fail \
  "attack a request that never ends: $lasted ms, $line"
echo "attack a request that never ends: closed after $lasted ms"
within 5 answers || fail "townd does not answer any more"
