#!/usr/bin/env bash
# A branch that is there already is tested and lands, or comes back and is mended on top of what it has.
. "$(dirname "$0")/world.sh"
make_repository shop
up
make_town shop
branch() {
  (cd "$world/shop" && git switch -qc "$1" main && eval "$2" && git add -A && git commit -qm "$1" && git switch -q main) ||
    fail "no branch $1"
}
# refused CODE WORDS ARGUMENTS…
refused() {
  town adopt "${@:3}" 2> "$world/err"
  code=$?
  [ $code -eq "$1" ] || fail "town adopt ${*:3} ended with $code: $(cat "$world/err")"
  grep -q "$2" "$world/err" || fail "town adopt ${*:3}: $(cat "$world/err")"
}
branch good 'echo two > two'
branch bad 'echo three > three; touch red'

good=$(town adopt good --title "Number two" --get bead_id) || fail "good is not adopted"
ends "$good" closed
[ "$(git -C "$world/shop" show main:two)" = two ] || fail "two is not on main"
[ "$(town show "$good" --get title)" = "Number two" ] || fail "$good is called $(town show "$good" --get title)"
git -C "$world/shop" merge-base --is-ancestor good main || fail "the branch itself is not on main"

refused 4 'on main already' good
refused 3 'there is no branch nowhere' nowhere
refused 4 'no host of pull requests' https://example.com/a/b/pull/1
refused 3 'no rig' good --rig nowhere

# Whoever mends it finds what it has, and puts a commit on top.
bad=$(echo 'git rm -q red && git commit -qm mended && town done' | town adopt bad --body - --get bead_id) || fail "bad is not adopted"
refused 4 'on its way already' bad
ends "$bad" closed
[ "$(git -C "$world/shop" show main:three)" = three ] || fail "three is not on main"
git -C "$world/shop" cat-file -e main:red 2> /dev/null && fail "red is on main"
git -C "$world/shop" merge-base --is-ancestor bad main || fail "what was adopted is not part of what landed"
[ "$(town beads --type issue --json | grep -o 'Rework: bad' | wc -l)" = 1 ] || fail "nobody had to mend it"
