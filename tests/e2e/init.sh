#!/usr/bin/env bash
# town init sets a dirty repository up, and landing leaves its files alone until they are clean.
. "$(dirname "$0")/world.sh"
make_repository shop
cd "$world/shop" || exit 1
printf 'test:\n\tsh test.sh\n' > Makefile
git add Makefile
git commit -qm "make test"
echo 'verify_retry = "1s"' >> "$world/townd.toml"
up
echo "half done" >> file
before=$(cat file; git status --porcelain)
town init --preset tester > "$world/out" 2>&1 || fail "init: $(cat "$world/out")"
towns+=(shop)
grep -q "make test" "$world/out" || fail "the gate was not found: $(cat "$world/out")"
grep -q "town sling" "$world/out" || fail "no next commands: $(cat "$world/out")"
[ "$(cat file; git status --porcelain)" = "$before" ] || fail "init touched the checkout"
town init --preset tester > "$world/out" 2>&1 || fail "init twice: $(cat "$world/out")"
[ "$(town rig list --json | grep -o '"rig_id"' | wc -l)" = 1 ] || fail "init twice made two rigs"
grep -q "there already" "$world/out" && grep -q "Gate: make test" "$world/out" || fail "init does not say what is there: $(cat "$world/out")"
mv Makefile test.sh ..
town init > "$world/out" 2>&1 || fail "init twice wants a gate: $(cat "$world/out")"
grep -q "Gate: make test" "$world/out" || fail "init does not say what is there: $(cat "$world/out")"
town init --town other > "$world/out" 2>&1 && fail "a rig of one town is taken for another's"
mv ../Makefile ../test.sh .
id=$(sling "Work" 'echo new > new; git add new; git commit -qm new -m "Bead: $TOWN_BEAD"; town done')
held() { town status | grep -q "landing held"; }
within 60 held || fail "a dirty checkout does not hold the landing: $(town why "$id")"
[ "$(cat file; git status --porcelain)" = "$before" ] || fail "landing touched the dirty checkout"
git checkout -q file
ends "$id" closed 100
[ "$(cat new)" = new ] || fail "the clean checkout did not follow"
