#!/usr/bin/env bash
# Work with a red gate comes back, is reworked and merged; a conflict too.
. "$(dirname "$0")/world.sh"
make_repository shop
up
make_town shop
red=$(sling "Leaves red behind" '
if [ -z "${TOWN_REWORK:-}" ]; then touch red; git add red; else git rm -q red; fi
echo "${TOWN_REWORK:-first}" > note; git add note
git commit -qm "note" -m "Bead: ${TOWN_REWORK:-$TOWN_BEAD}"
town done')
ends "$red" closed
[ "$(merges_of shop "$red")" = 1 ] || fail "merged $(merges_of shop "$red") times"
git -C "$world/shop" cat-file -e main:red 2> /dev/null && fail "red landed on main"
town log "$red" | grep -q review || fail "its history says nothing of the review"

# Both begin at the same commit and change the same line; whoever comes second has to merge.
base=$(git -C "$world/shop" rev-parse main)
body="
if [ -n \"\${TOWN_REWORK:-}\" ]; then
  git merge -q \"origin/\$TOWN_TARGET\" || { git checkout -q --ours file; echo both >> file; git add -A; git commit -qm merged -m \"Bead: \$TOWN_REWORK\"; }
else
  git reset -q --hard $base; echo \"\$TOWN_BEAD\" > file; git commit -qam mine -m \"Bead: \$TOWN_BEAD\"
fi
town done"
a=$(sling "Changes the line" "$body")
b=$(sling "Changes the same line" "$body")
ends "$a" closed
ends "$b" closed
[ "$(merges_of shop "$a")$(merges_of shop "$b")" = 11 ] || fail "merged $(merges_of shop "$a") and $(merges_of shop "$b") times"
git -C "$world/shop" show main:file | grep -q both || fail "nobody resolved the conflict"
