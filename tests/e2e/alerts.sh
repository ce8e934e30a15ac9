#!/usr/bin/env bash
# A violation is at Sentry within 5 s and once; while Sentry is away or hangs it waits; a crash is told at the next start.
. "$(dirname "$0")/world.sh"
ulimit -c 0
make_repository shop
key=0123456789abcdef0123456789abcdef
sentry=$world/sentry
mkdir -p "$sentry/envelopes"
port=0

sentry_comes() {
  rm -f "$sentry/port"
  fake-sentry "$sentry" $key 7 $port &
  sentry_process=$!
  others+=($sentry_process)
  disown $sentry_process
  within 10 test -s "$sentry/port" || fail "there is no Sentry"
  read -r port < "$sentry/port"
}
sentry_goes() { kill "$sentry_process" && while kill -0 "$sentry_process" 2> /dev/null; do :; done; }
# told KIND: how many events of this kind Sentry has.
told() { grep -c "\"kind\":\"$1\"" "$sentry/events" 2> /dev/null; }
has() { [ "$(told "$1")" -ge "$2" ]; }
spooled() { ls "$TOWND_DATA/alerts/sentry" 2> /dev/null | grep -c json; }
nothing_waits() { [ "$(spooled)" = 0 ]; }
is_spooled() { [ "$(spooled)" -ge 1 ]; }
planted_start() {
  town down > /dev/null || fail "townd does not end"
  plant-violation "$TOWND_DATA/townd.db" || fail "nothing was planted"
  "${@:-true}"
  up
}

sentry_comes
cat >> "$world/townd.toml" <<END_TOML
[log]
level = "debug"
[sentry]
dsn = "http://$key@127.0.0.1:$port/7"
[alerts]
command = ["sh", "-c", "cat >> $world/commanded"]
repeat = "100ms"
END_TOML
up
make_town shop
work='echo $TOWN_RUN > $TOWN_BEAD; git add -A; git commit -qm work -m "Bead: $TOWN_BEAD"; town done'
ends "$(sling "First" "$work")" closed

# With all its fields, once, to the command too.
begun=$SECONDS
planted_start
within 10 has invariant_7 1 || fail "the violation is not at Sentry"
[ $((SECONDS - begun)) -le 6 ] || fail "the violation took $((SECONDS - begun)) s"
event=$(grep '"kind":"invariant_7"' "$sentry/events")
for field in '"level":"error"' '"platform":"native"' '"logger":"townd"' '"town":"shop"' '"invariant":"7"' '"rule":' '"tick":[1-9]' \
  '"message":"it works, but holds no bead' '"bundle":"[^"]*/bundles/shop-tick-[0-9]*.bundle"' '"fingerprint":\["invariant","7","' '"release":"townd@'; do
  grep -q "$field" <<< "$event" || fail "no $field in $event"
done
bundle=$(grep -o '"bundle":"[^"]*"' <<< "$event" | cut -d '"' -f 4)
within 10 test -s "$bundle" || fail "there is no bundle $bundle"
within 10 grep -q invariant_7 "$world/commanded" || fail "the command was not told"
within 10 nothing_waits || fail "it still waits: $(ls "$TOWND_DATA/alerts/sentry")"
[ "$(told invariant_7)" = 1 ] || fail "the violation is at Sentry $(told invariant_7) times"

# Away: it waits, over a restart too.
planted_start sentry_goes
within 10 is_spooled || fail "nothing waits for Sentry"
town down > /dev/null && up
[ "$(told invariant_7)" = 1 ] || fail "a Sentry that was away has the violation"
sentry_comes
within 30 has invariant_7 2 || fail "the violation did not arrive later"
within 10 nothing_waits || fail "it still waits"
[ "$(told invariant_7)" = 2 ] || fail "it arrived $(told invariant_7) times"

# It takes the connection and never answers: work goes on at its pace, and so does the end.
hangs() { echo hang > "$sentry/status"; }
planted_start hangs
within 10 grep -q hang "$sentry/requests" || fail "nobody asked the Sentry that hangs"
for i in 1 2 3; do ends "$(sling "Number $i" "$work")" closed 20; done
slowest=$(town ticks --json | grep -o '"wall_us":[0-9]*' | cut -d : -f 2 | sort -n | tail -n 1)
[ "${slowest:-0}" -lt 1000000 ] || fail "a tick took $slowest us"
echo "slowest tick, most of them while Sentry hung: ${slowest:-0} us"
begun=$SECONDS
town down > /dev/null || fail "townd does not end while Sentry hangs"
[ $((SECONDS - begun)) -le 8 ] || fail "the end took $((SECONDS - begun)) s while Sentry hangs"
rm "$sentry/status"
sentry_goes
sentry_comes
up
within 30 has invariant_7 3 || fail "the violation did not arrive after Sentry had hung"

# A rate limit is kept, and what it met arrives after it.
limits() { echo 429 > "$sentry/status"; }
planted_start limits
within 10 grep -q 429 "$sentry/requests" || fail "nothing met the limit"
rm "$sentry/status"
within 30 has invariant_7 4 || fail "the violation did not arrive after the limit"

# townd itself.
pid=$(town up --get pid)
kill -SEGV "$pid"
gone() { ! kill -0 "$pid" 2> /dev/null; }
within 10 gone || fail "townd lives on after SIGSEGV"
[ -s "$TOWND_DATA/crash" ] || fail "the crash left no note"
up
within 10 has crash 1 || fail "the crash is not at Sentry"
grep '"kind":"crash"' "$sentry/events" | grep -q 'townd [0-9.]* (pid '"$pid"') was ended by SIGSEGV at ' || fail "$(cat "$sentry/events")"
[ ! -e "$TOWND_DATA/crash" ] || fail "the note of the crash is still there"

[ ! -e "$sentry/complaints" ] || fail "Sentry complains: $(cat "$sentry/complaints")"
! grep -q $key "$TOWND_DATA/townd.log" || fail "the DSN's key is in the log"
! grep -rq $key "$TOWND_DATA/alerts" || fail "the DSN's key is in the spool"
town config --town shop > "$world/out"
grep -q 'sentry.dsn .*\*\*\*\*' "$world/out" || fail "no masked DSN: $(grep sentry "$world/out")"
! grep -q $key "$world/out" || fail "town config shows the DSN"

# What is wrong with a setting is said at start, without it.
printf '[sentry]\ndsn = "https://%s@/7"\n' $key > "$world/wrong.toml"
"$TOWN_BIN/townd" --data "$world/other" --config "$world/wrong.toml" --listen 127.0.0.1:0 > "$world/out" 2>&1
[ $? = 2 ] || fail "townd starts with a wrong DSN"
grep -q 'wrong.toml:2: sentry.dsn: ' "$world/out" || fail "$(cat "$world/out")"
! grep -q $key "$world/out" || fail "the error repeats the key"
