# A forge for a test, beside world.sh: a fake GitHub, GitLab or Gitea over TLS with repositories of its own. Source it after world.sh.
: "${TOWN_SOURCE:?the source tree}"
# control COMMAND JSON: tells the fake what the world there is like, and prints what it says.
control() {
  local said
  said=$(curl -sS --fail-with-body -H 'Content-Type: application/json' -d "$2" "$forge_control/$1") ||
    { echo "control $1 $2: $said" >&2; return 1; }
  echo "$said"
}
# field NAME: of the JSON object on standard input; dots lead into it.
field() { python3 -c 'import functools, json, sys; print(functools.reduce(lambda v, k: v[int(k) if k.isdigit() else k], sys.argv[1].split("."), json.load(sys.stdin)))' "$1"; }

# start_forge [KIND]: the forge (github, gitlab or gitea), and you, who may write, and townd's own account with its token. At GitLab
# projects are in a group within a group.
start_forge() {
  forge_kind=${1:-github}
  forge_group=you forge_heads=refs/pull scopes='["repo"]' rights='{"towny": "write"}'
  if [ "$forge_kind" = gitlab ]; then
    forge_group=you/tools forge_heads=refs/merge-requests scopes='["api"]' rights='{"towny": "developer", "you": "maintainer"}'
  elif [ "$forge_kind" = gitea ]; then
    scopes='["write:repository", "write:issue", "read:user"]'
  fi
  mkfifo "$world/forge.out"
  python3 "$TOWN_SOURCE/tests/fake_forge/serve.py" --kind "$forge_kind" --root "$world/forge" > "$world/forge.out" 2> "$world/forge.err" < /dev/null &
  others+=($!)
  disown $!
  local said
  read -r said < "$world/forge.out" || fail "the forge does not start: $(cat "$world/forge.err")"
  forge=$(echo "$said" | field address)
  forge_control=$(echo "$said" | field control)
  SSL_CERT_FILE=$(echo "$said" | field ca)
  export SSL_CERT_FILE
  git config --global http.sslCAInfo "$SSL_CERT_FILE"
  control users '{"login": "you"}' > /dev/null || fail "no user"
  control users '{"login": "towny"}' > /dev/null || fail "no user"
  control users '{"login": "stranger"}' > /dev/null || fail "no user"
  forge_token=$(control tokens '{"login": "towny", "scopes": '"$scopes"'}' | field token)
  export TOWN_TEST_FORGE_TOKEN="$forge_token"
  printf '\n[%s]\nhost = "%s"\ntoken = "env:TOWN_TEST_FORGE_TOKEN"\nwebhook_secret = "barley"\n' "$forge_kind" "$forge" >> "$world/townd.toml"
}

# host REPOSITORY: puts it on the forge beneath its group, where townd may write.
host() {
  control repositories '{"owner": "'"$forge_group"'", "name": "'"$1"'", "copy_of": "'"$world/$1/.git"'", "permissions": '"$rights"'}' > "$world/hosted" ||
    fail "not hosted"
}
# at_forge REPOSITORY GIT ARGUMENTS…
at_forge() { git --git-dir "$world/forge/$forge_group/$1.git" "${@:2}"; }
# request BEAD: its merge request's id.
request_of() { town reviews --json | python3 -c 'import json, sys
rows = [r for r in json.load(sys.stdin) if r["source_bead_id"] == sys.argv[1]]
print(rows[-1]["bead_id"] if rows else "")' "$1"; }
# opened REPOSITORY NUMBER: the pull request is there. head_of: its newest commit.
opened() { at_forge "$1" rev-parse -q --verify "$forge_heads/$2/head" > /dev/null; }
head_of() { at_forge "$1" rev-parse "$forge_heads/$2/head"; }
# verdict_is BEAD VERDICT: of its newest request's review.
verdict_is() { town show "$(request_of "$1")" --json | grep -q '"verdict":"'"$2"'"'; }
# act JSON: somebody does something there; what it makes is in act.out.
act() { control act "$1" > "$world/act.out" || fail "nobody can $1"; }
# check REPOSITORY COMMIT CONCLUSION: the check `build` has run; at GitLab it is a job, at Gitea a status.
check() {
  if [ "$forge_kind" = gitea ]; then
    control checks '{"repository": "'"$forge_group/$1"'", "sha": "'"$2"'", "context": "build", "state": "'"$3"'"}' > /dev/null ||
      fail "no status"
    return
  fi
  if [ "$forge_kind" = gitlab ]; then
    control checks '{"repository": "'"$forge_group/$1"'", "sha": "'"$2"'", "job": "build", "status": "'"${3/failure/failed}"'"}' > /dev/null ||
      fail "no job"
    return
  fi
  control checks '{"repository": "you/'"$1"'", "sha": "'"$2"'", "name": "build", "status": "completed", "conclusion": "'"$3"'"}' > /dev/null ||
    fail "no check"
}
graphql() {
  curl -sS --cacert "$SSL_CERT_FILE" -H "Authorization: Bearer $forge_token" -H 'Content-Type: application/json' -A test \
    -d "$(python3 -c 'import json, sys; print(json.dumps({"query": sys.argv[1]}))' "$1")" "https://$forge/api/graphql"
}
forge_is_well() {
  grep -rqaF "$forge_token" "$TOWND_DATA" && fail "the token is in $(grep -rlaF "$forge_token" "$TOWND_DATA")"
  [ "$(control failures '{}' | field failures)" = "[]" ] || fail "the fake failed: $(cat "$world/forge.err")"
}
