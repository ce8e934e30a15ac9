#!/usr/bin/env bash
# An idle townd fills every panel, and an alert of a townd that hangs arrives.
# TOWND_IDLE=SECONDS: how long it is watched while idle; `--fake` watches exporter.py in townd's place.
for program in promtool prometheus prometheus-alertmanager amtool python3 curl; do
  command -v $program > /dev/null || { echo "skipped: $program is not installed (scripts/setup watch)"; exit 77; }
done
here=$(cd "$(dirname "$0")" && pwd)
: "${TOWN_SOURCE:=$(cd "$here/../.." && pwd)}"
fake=
[ "${1:-}" != --fake ] || fake=1
# Another world than that of the e2e tests has no daemon to end.
[ -z "$fake" ] || { TOWN_BIN=/nonexistent; town() { :; }; }
. "$TOWN_SOURCE/tests/e2e/world.sh"
ops=$TOWN_SOURCE/ops
idle=${TOWND_IDLE:-75}
step=5

# A townd that was halted must be let go on before it can be ended.
watched=
on_exit() {
  local code=$?
  [ -z "$watched" ] || kill -CONT "$watched" 2> /dev/null
  (exit $code)
  end_world
}
trap on_exit EXIT

# first_line FILE: once there is one.
first_line() { within 20 test -s "$1" || fail "nothing in $1"; head -n 1 "$1"; }
# port_in LOG: where a server says that it listens.
listens() { grep -qE 'address=127\.0\.0\.1:[1-9]' "$1"; }
port_in() {
  within 20 listens "$1" || fail "does not listen: $(cat "$1")"
  sed -nE 's/.*address=127\.0\.0\.1:([1-9][0-9]*).*/\1/p' "$1" | head -n 1
}

# ---- the files as they are
promtool check rules "$ops/prometheus/alerts.yml" || fail "the rules are wrong"
promtool test rules "$ops/prometheus/alerts_test.yml" || fail "an alert fires or is silent when it must not"
amtool check-config "$ops/alertmanager/alertmanager.yml" || fail "alertmanager.yml is wrong"

# ---- something to watch
mkdir "$world/watch"
cd "$world/watch" || exit 1
if [ -n "$fake" ]; then
  echo secret > townd.token
  python3 "$here/exporter.py" "$TOWN_SOURCE/docs/metrics.md" townd.token > exporter.out &
  watched=$!
  others+=($watched)
  address=127.0.0.1:$(first_line exporter.out)
else
  make_repository shop
  up
  make_town shop
  towns=()  # its stream would be a client that is not idle
  town token new viewer --id prometheus --get token > townd.token || fail "no token"
  read -r address < "$TOWND_DATA/listen"
  watched=$(town up --get pid) || fail "townd has no number"
fi
scraped() { curl -sf -H "Authorization: Bearer $(cat townd.token)" "http://$address/metrics" > metrics.txt; }
scraped || fail "GET /metrics does not answer"
promtool check metrics < metrics.txt || fail "promtool finds fault with /metrics"
python3 "$here/as_written.py" "$TOWN_SOURCE/docs/metrics.md" metrics.txt || fail "docs/metrics.md says otherwise"
code=$(curl -s -o /dev/null -w '%{http_code}' "http://$address/metrics")
[ "$code" = 401 ] || fail "GET /metrics without a token answers $code"

# ---- who watches it: the shipped files, but for addresses and times
python3 "$here/receiver.py" > told.txt &
others+=($!)
sed "s/127.0.0.1:9095/127.0.0.1:$(first_line told.txt)/; s/group_wait: 30s/group_wait: 1s/
  s/group_interval: 5m/group_interval: 2s/" "$ops/alertmanager/alertmanager.yml" > alertmanager.yml
prometheus-alertmanager --config.file=alertmanager.yml --storage.path=alertmanager --web.listen-address=127.0.0.1:0 \
  --cluster.listen-address= > alertmanager.log 2>&1 &
others+=($!)
alertmanager=$(port_in alertmanager.log)
# TowndDown waits for two minutes; here for two seconds, and nothing else is changed.
sed '/alert: TowndDown$/,/for:/s/for: 2m/for: 2s/' "$ops/prometheus/alerts.yml" > alerts.yml
cmp -s alerts.yml "$ops/prometheus/alerts.yml" && fail "the wait of TowndDown could not be shortened"
sed "s/: 15s/: 1s/; s/127.0.0.1:9093/127.0.0.1:$alertmanager/; s/127.0.0.1:7777/$address/" \
  "$ops/prometheus/prometheus.yml" > prometheus.yml
promtool check config prometheus.yml || fail "prometheus.yml is wrong"
prometheus --config.file=prometheus.yml --storage.tsdb.path=tsdb --web.listen-address=127.0.0.1:0 \
  > prometheus.log 2>&1 &
others+=($!)
prometheus=http://127.0.0.1:$(port_in prometheus.log)

# query EXPRESSION: its one value.
query() {
  curl -sf --get "$prometheus/api/v1/query" --data-urlencode "query=$1" |
    python3 -c 'import json, sys; print(json.load(sys.stdin)["data"]["result"][0]["value"][1])' 2> /dev/null
}
# Two scrapes more than are asked about, since a rate needs two before the first step.
watched_long_enough() { [ "$(query 'count_over_time(up{job="townd"}[1h])')" -gt $((idle + 5)) ]; }
within $((idle + 60)) watched_long_enough || fail "scraped $(query 'count_over_time(up{job="townd"}[1h])') times"
[ "$(query 'min_over_time(up{job="townd"}[1h])')" = 1 ] || fail "a scrape failed: $(cat prometheus.log)"
python3 "$here/idle_board.py" "$prometheus" "$ops/grafana/townd.json" "$idle" $step || fail "the board has holes"
# The check is checked: an expression without a value must be found.
sed 's/ or on () (vector(0))/ > 1/' "$ops/grafana/townd.json" > planted.json
! python3 "$here/idle_board.py" "$prometheus" planted.json "$idle" $step > planted.out || fail "holes are not found"
grep -q "'Daemon'.*: nothing at [1-9][0-9]* of" planted.out || fail "the planted hole is not found: $(cat planted.out)"

# ---- a daemon that hangs is told, and so is that it is back
told() { grep -q "^$1 TowndDown page docs/runbooks/TowndDown.md town doctor$" told.txt; }
kill -STOP "$watched"
within 60 told firing || fail "nobody was told: $(cat told.txt; curl -s "$prometheus/api/v1/alerts")"
kill -CONT "$watched"
within 60 told resolved || fail "nobody was told that it is back: $(cat told.txt)"
# Nothing else was the matter.
[ "$(tail -n +2 told.txt | cut -d ' ' -f 2 | sort -u)" = TowndDown ] || fail "told too much: $(cat told.txt)"
echo "watched for $idle s; told: $(tail -n +2 told.txt | cut -d ' ' -f 1,2 | tr '\n' ';')"
