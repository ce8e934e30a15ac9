# A world for one test. Source it; it makes everything in a folder of its own and takes it away again.
set -u
: "${TOWN_BIN:?the folder with town, townd and townd-shim}"
: "${TOWN_SOURCE:?the source tree}"
export PATH="$TOWN_BIN:$PATH"
unset TOWN_TOKEN TOWN_ID TOWN_RIG TOWND_DATA
world=$(mktemp -d /tmp/town-e2e.XXXXXX)
towns=()               # those that are listened to
others=()              # processes of the test itself that must not outlive it
declare -A listeners   # town → the process that brings its event stream
mkfifo "$world/news"
exec {news}<> "$world/news"
export HOME="$world/home" TOWND_DATA="$world/data"
export GIT_CONFIG_NOSYSTEM=1
mkdir -p "$HOME" "$TOWND_DATA/presets"
chmod 700 "$TOWND_DATA"
git config --global user.name You
git config --global user.email you@example.com
git config --global init.defaultBranch main
# Agents here run the bead's body; work that came back runs the body of the bead it is for, with TOWN_REWORK set.
sed 's/^# .*//' "$TOWN_SOURCE/share/demo/preset.toml" > "$TOWND_DATA/presets/tester.toml"
cat > "$world/townd.toml" <<'END'
[limits]
max_agents = 4
[reconciler]
backoff = ["300ms"]
END

fail() {
  echo "FAILED: $*" >&2
  echo "--- status" >&2; town status >&2
  echo "--- townd.log" >&2; tail -n 40 "$TOWND_DATA/townd.log" >&2
  exit 1
}

end_world() {
  code=$?
  town down --stop-agents > "$world/down.out" 2>&1 || { cat "$world/down.out" >&2; [ $code -ne 0 ] || code=1; }
  for process in "${listeners[@]}" "${others[@]}"; do kill "$process" 2> /dev/null; done
  if [ -n "${TOWN_KEEP:-}" ]; then echo "kept: $world" >&2; else rm -rf "$world"; fi
  exit $code
}
trap end_world EXIT
trap 'exit 1' INT TERM

up() { town up --listen 127.0.0.1:0 --config "$world/townd.toml" > /dev/null || fail "townd does not start"; }

# make_repository NAME: one commit, a gate that fails while a file called `red` exists.
make_repository() {
  mkdir -p "$world/$1"
  (
    cd "$world/$1" || exit 1
    git init -q
    printf 'one\n' > file
    printf '#!/bin/sh\n[ ! -e red ] || { echo "red is there"; exit 1; }\n' > test.sh
    git add -A
    git commit -q -m first
  ) || fail "no repository"
}

# make_town NAME [REPOSITORY]: a town with one rig of the same name.
make_town() {
  town new "$1" > /dev/null || fail "no town"
  towns+=("$1")
  town rig add "$world/${2:-$1}" --town "$1" --name "${2:-$1}" --gate "sh test.sh" --preset tester "${@:3}" > "$world/rig.out" ||
    fail "no rig: $(cat "$world/rig.out")"
}

# sling TITLE SCRIPT [options]: prints the bead's id.
sling() { printf '%s\n' "$2" | town sling "$1" --body - --get bead.bead_id "${@:3}" || fail "cannot sling $1"; }

status_of() { town show "$1" --get status; }

# Brings the lines of a town's event stream to `news`, until townd ends it.
listen_to() { exec curl -sfN --unix-socket "$TOWND_DATA/townd.sock" "http://localhost/api/towns/$1/stream" >&"$news"; }

# Returns when something has happened in a town; after a second at the latest, since not everything is a town's event.
hear_news() {
  local town
  for town in "${towns[@]}"; do
    if [ -z "${listeners[$town]:-}" ] || ! kill -0 "${listeners[$town]}" 2> /dev/null; then
      listen_to "$town" 2> /dev/null &
      listeners[$town]=$!
      disown $!
    fi
  done
  read -r -t 1 -u "$news" _
  while read -r -t 0 -u "$news"; do read -r -u "$news" _; done
}

# within SECONDS COMMAND…: until it succeeds, asked again whenever a town's event stream has something new.
within() {
  local until=$((SECONDS + $1))
  shift
  until "$@" > /dev/null 2>&1; do
    [ $SECONDS -lt $until ] || return 1
    hear_news
  done
}

is() { [ "$(status_of "$1")" = "$2" ]; }
# ends ID STATUS [SECONDS]
ends() { within "${3:-60}" is "$1" "$2" || fail "$1 is $(status_of "$1"), not $2: $(town why "$1")"; }

# What an agent's script says to wait for `go ID`; it ends the script when nobody comes.
waits='mkfifo .git/go; town say waiting > /dev/null; read -r word < .git/go; [ "$word" = go ]'
# runs_of ID: its runs, oldest first.
runs_of() { town show "$1" --json | grep -o '"run_id":"[^"]*"' | cut -d '"' -f 4 | sort -V -u; }
clone_of() { echo "$TOWND_DATA/clones/$(runs_of "$1" | tail -n 1)"; }
waiting() { [ -p "$(clone_of "$1")/.git/go" ]; }
go() {
  within 30 waiting "$1" || fail "nobody waits with $1: $(town why "$1")"
  timeout 30 sh -c 'echo go > "$0/.git/go"' "$(clone_of "$1")" || fail "nobody hears that $1 may go on"
}

# How many merge commits on main of REPOSITORY bring in a commit whose message has the line `Bead: ID`.
merges_of() {
  local merge count=0
  for merge in $(git -C "$world/$1" rev-list --min-parents=2 main); do
    if git -C "$world/$1" log -1 --format=%B "$merge^2" | grep -qx "Bead: $2"; then count=$((count + 1)); fi
  done
  echo $count
}
