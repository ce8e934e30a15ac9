#!/usr/bin/env bash
# The doctor finds what is planted, repairs what is safe, leaves the rest, and says it with its exit code.
. "$(dirname "$0")/world.sh"
command -v python3 > /dev/null || { echo "python3 is not there to edit the store"; exit 77; }
data=$TOWND_DATA
doctor() { town doctor "$@" > "$world/said" 2>&1; }
# code CODE [options]: the doctor ends with it.
code() {
  local wanted=$1 got
  shift
  doctor "$@"
  got=$?
  [ $got = "$wanted" ] || fail "doctor $* ended with $got, not $wanted: $(cat "$world/said")"
}
# finding CHECK SUBJECT: what the last `--json` says of it, `open` or `fixed`; empty: nothing.
finding() {
  python3 - "$world/said" "$1" "$2" <<'END'
import json, sys
said, check, subject = sys.argv[1:]
for f in json.load(open(said))["findings"]:
    if f["check"] == check and subject in f["subject"]:
        print("fixed" if f["fixed"] else "open", end="")
        break
END
}
is_open() { [ "$(finding "$1" "$2")" = open ] || fail "no open $1 of $2: $(cat "$world/said")"; }
is_fixed() { [ "$(finding "$1" "$2")" = fixed ] || fail "$1 of $2 is not fixed: $(cat "$world/said")"; }
is_none() { [ -z "$(finding "$1" "$2")" ] || fail "there is a $1 of $2: $(cat "$world/said")"; }

cat > "$data/presets/locked.toml" <<'END'
command = "sh"
install = "log in first"
run = ["-c", "exit 3"]
check = ["-c", "exit 1"]
input = "none"
stream = "plain"
[exits]
3 = "not_logged_in"
END
cp "$data/presets/tester.toml" "$data/presets/vanishing.toml"
for name in shop safe lost far; do make_repository $name; done
code 2
code 2 --nonsense
up
make_town shop
rig() { town rig add "$world/$1" --name "$1" --gate "sh test.sh" --preset "$2" > "$world/rig.out" || fail "$(cat "$world/rig.out")"; }
rig safe locked; rig lost vanishing; rig far tester
done_bead=$(sling "Done" 'echo a > a; git add a; git commit -qm a -m "Bead: $TOWN_BEAD"; town done' --rig shop)
ends "$done_bead" closed
code 0
code 0 --fix
sling "Needs a login" "true" --rig safe > /dev/null
locked() { doctor --json; [ "$(finding unusable_preset locked)" = open ]; }
within 60 locked || fail "a logged-out program is not found: $(cat "$world/said")"

# What is left behind: clones, a process, branches.
id_of() { town rig list --json | python3 -c 'import json, sys; print(next(r["rig_id"] for r in json.load(sys.stdin) if r["name"] == sys.argv[1]))' "$1"; }
shop=$(id_of shop)
far=$(id_of far)
bare=$data/rigs/$shop/repo.git
git clone -q --shared "$bare" "$data/clones/ghost-1"
git -C "$data/clones/ghost-1" commit -q --allow-empty -m "not in the rig yet"
unsaved=$(git -C "$data/clones/ghost-1" rev-parse HEAD)
git init -q "$data/clones/ghost-2"
git -C "$data/clones/ghost-2" commit -q --allow-empty -m "of no rig"
git --git-dir="$bare" branch merged main
git --git-dir="$bare" branch alone "$(git --git-dir="$bare" commit-tree 'main^{tree}' -p main -m alone)"
env TOWN_RUN=ghost-9 TOWN_CLONE="$data/clones/ghost-9" setsid sleep 1000 &
process=$!
others+=($process)
disown $process
chmod 644 "$data/admin.token"

# What only a stopped store takes.
town down > /dev/null || fail "it does not end"
rm "$data/presets/vanishing.toml"
mv "$world/far" "$world/elsewhere"
touch "$data/runs/ghost-8"   # its stop cannot be confirmed
python3 - "$data/townd.db" "$shop" <<'END' || fail "cannot plant"
import datetime, json, sqlite3, sys
db = sqlite3.connect(sys.argv[1])
shop = sys.argv[2]
now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000Z")
payload = {"rig_id": shop, "untrusted_reason": ""}
seq = db.execute("SELECT max(seq) + 1 FROM town_events WHERE town_id = 'shop'").fetchone()[0]
db.execute("INSERT INTO town_events VALUES ('shop', ?, 1, 'rig_trust', '', '', '', ?, 0, 0, 3, 'quarantined', 'planted')",
           (seq, json.dumps(payload)))
event = {"seq": seq, "event_type": "rig_trust", "agent_id": None, "bead_id": None, "payload": payload, "created_at": now}
db.execute("INSERT INTO deferred_events VALUES ('shop', ?, 3, 'planted', 9223372036854775807, ?)",
           (seq, json.dumps({"event": event, "attempts": 3, "reason": "planted", "retry_at": "never"})))
db.execute("INSERT INTO effects (town_id, key, kind, body, state, attempts, detail) VALUES ('shop', 'stop_agent:ghost-8:1',"
           " 'stop_agent', ?, 'unknown', 1, 'planted')", (json.dumps({"agent_id": "ghost-7", "run_id": "ghost-8"}),))
db.execute("INSERT INTO tokens VALUES ('ghost', 'no hash', 'agent', 'nowhere', 'ghost-7', 'ghost-8', 0, NULL, 0)")
rig = json.loads(db.execute("SELECT row FROM rigs WHERE rig_id = ?", (shop,)).fetchone()[0])
rig["queue"].update(paused_since=now, paused_reason="planted")
db.execute("UPDATE rigs SET row = ? WHERE rig_id = ?", (json.dumps(rig), shop))
db.commit()
END

# Without a daemon: what the folder shows, and what was not looked at.
code 1 --json
is_open daemon "$data"
is_open orphan_clone ghost-1
is_open orphan_process ghost-9
is_open orphan_branch merged
is_open file_mode admin.token
is_none damaged_page townd.db
grep -q '"unmade":\[{"check":"useless_token"' "$world/said" || fail "it does not say what was not looked at: $(cat "$world/said")"
code 1 --fix
[ -d "$data/clones/ghost-1" ] || fail "a clone was removed while nobody could save its work"
[ "$(stat -c %a "$data/admin.token")" = 600 ] || fail "the token's mode is not mended"
chmod 644 "$data/admin.token"
git --git-dir="$bare" branch merged main || fail "the merged branch is not deleted without a daemon"

# A damaged page and a small disk, in a copy.
mkdir -m 700 "$world/copy"
python3 - "$data/townd.db" "$world/damaged" <<'END'
import sys
bytes = bytearray(open(sys.argv[1], "rb").read())
for page in range(2, len(bytes) // 4096): bytes[page * 4096:page * 4096 + 64] = b"\xff" * 64
open(sys.argv[2], "wb").write(bytes)
END
unshare -rm sh -c 'mount -t tmpfs -o size=64m,mode=700 none "$0/copy" && cp "$0/damaged" "$0/copy/townd.db" &&
  chmod 600 "$0/copy/townd.db" && town doctor --json --data "$0/copy"; echo "$?" > "$0/code"' "$world" > "$world/said" 2>&1
[ "$(cat "$world/code")" = 1 ] || fail "a damaged store is well: $(cat "$world/said")"
is_open damaged_page townd.db
is_open low_disk "$world/copy"

# With one: everything.
up
town doctor > "$world/page"; [ $? = 1 ] || fail "nothing is wrong: $(cat "$world/page")"
code 1 --json
planted=("orphan_clone ghost-1" "orphan_clone ghost-2" "orphan_process ghost-9" "orphan_branch merged" "orphan_branch alone"
  "quarantined_event " "effect_in_doubt stop_agent:ghost-8:1" "missing_preset vanishing" "unusable_preset locked"
  "useless_token ghost" "unreachable_rig $far" "file_mode admin.token" "stuck_work $shop")
for one in "${planted[@]}"; do
  is_open ${one% *} "${one#* }"
  grep -q "^${one% *}" "$world/page" || fail "the page does not name ${one% *}: $(cat "$world/page")"
done
kill -0 $process || fail "looking ended a process"

code 1 --fix --json
for one in "orphan_clone ghost-1" "orphan_process ghost-9" "orphan_branch merged" "quarantined_event " "useless_token ghost" \
  "file_mode admin.token"; do is_fixed ${one% *} "${one#* }"; done
for one in "orphan_clone ghost-2" "orphan_branch alone" "effect_in_doubt stop_agent:ghost-8:1" "missing_preset vanishing" \
  "unusable_preset locked" "unreachable_rig $far" "stuck_work $shop"; do is_open ${one% *} "${one#* }"; done
[ ! -e "$data/clones/ghost-1" ] || fail "the clone is still there"
[ "$(git --git-dir="$bare" rev-parse refs/town/ghost-1)" = "$unsaved" ] || fail "its work is lost"
[ -d "$data/clones/ghost-2" ] || fail "a clone went whose work is nowhere else"
git --git-dir="$bare" rev-parse -q --verify refs/heads/alone > /dev/null || fail "a branch went whose work is nowhere else"
! kill -0 $process 2> /dev/null || fail "the process lives"

# One that is stopped is told, and not waited for for minutes.
pid=$(town up --get pid)
kill -STOP "$pid"
began=$SECONDS
code 1 --json
took=$((SECONDS - began))
kill -CONT "$pid"
is_open daemon "$data"
grep -q "does not answer" "$world/said" || fail "it does not say so: $(cat "$world/said")"
[ $took -lt 40 ] || fail "a stopped daemon keeps the doctor for $took s"

# Somebody who may not look in is told that, not that there is nothing.
if [ "$(id -u)" = 0 ] && command -v setpriv > /dev/null; then
  HOME=/ setpriv --reuid 65534 --regid 65534 --clear-groups "$(command -v town)" doctor --data "$data" > "$world/said" 2>&1
  grep -qi "permission denied" "$world/said" || fail "it does not say that it may not look: $(cat "$world/said")"
fi

# A repository that is gone is told, and made again only when that is wanted.
mv "$bare" "$world/kept.git"
code 1 --json
is_open missing_repository "$bare"
[ ! -e "$bare" ] || fail "looking made a repository"
mv "$world/kept.git" "$bare"

# What a person mends is found no more.
rm -rf "$data/clones/ghost-2" "$data/runs/ghost-8"
git --git-dir="$bare" branch -qD alone
mv "$world/elsewhere" "$world/far"
town queue shop --resume > /dev/null || fail "cannot resume the queue"
town down > /dev/null || fail "it does not end"
cp "$data/presets/tester.toml" "$data/presets/vanishing.toml"
up
# A program that was logged out is asked again after five minutes; the rig gets another.
curl -sf --unix-socket "$data/townd.sock" -X PATCH -H 'Content-Type: application/json' \
  -d '{"config":{"polecat_preset":"tester"}}' "http://localhost/api/towns/shop/rigs/$(id_of safe)" > /dev/null ||
  fail "cannot change a rig"
well() { doctor --json; }
within 60 well || fail "it is not well: $(cat "$world/said")"
grep -q '"ok":true' "$world/said" || fail "it does not say so: $(cat "$world/said")"
