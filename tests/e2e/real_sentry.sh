#!/usr/bin/env bash
# What townd sends to Sentry is what Sentry's own JavaScript library takes for an envelope.
# TOWND_AGENTS is a folder in which scripts/agents has installed @sentry/core from npm.
skip() { echo "skipped: $*"; exit 77; }
command -v node > /dev/null || skip "node is not installed, and the library needs it"
library=${TOWND_AGENTS:-}/node_modules/@sentry/core
[ -d "$library" ] || skip "TOWND_AGENTS names no folder that has @sentry/core"
. "$(dirname "$0")/world.sh"
ulimit -c 0
key=0123456789abcdef0123456789abcdef
mkdir -p "$world/sentry/envelopes"
fake-sentry "$world/sentry" $key 7 &
others+=($!)
disown
within 10 test -s "$world/sentry/port" || fail "there is no Sentry"
dsn=http://$key@127.0.0.1:$(cat "$world/sentry/port")/7
printf '[sentry]\ndsn = "%s"\n[alerts]\nrepeat = "0s"\n' "$dsn" >> "$world/townd.toml"
up
pid=$(town up --get pid)
kill -SEGV "$pid"
gone() { ! kill -0 "$pid" 2> /dev/null; }
within 10 gone || fail "townd lives on after SIGSEGV"
up
within 10 test -s "$world/sentry/envelopes/1" || fail "there is no envelope: $(cat "$world/sentry/complaints")"
cat > "$world/check.cjs" <<'JS'
const [library, file, dsnText] = process.argv.slice(2);
const assert = require('assert');
const sentry = require(library);
const [headers, items] = sentry.parseEnvelope(require('fs').readFileSync(file));
assert.match(headers.event_id, /^[0-9a-f]{32}$/);
assert.ok(!Number.isNaN(Date.parse(headers.sent_at)));
const theirs = sentry.makeDsn(headers.dsn), ours = sentry.makeDsn(dsnText);
for (const part of ['protocol', 'publicKey', 'host', 'port', 'projectId']) assert.equal(theirs[part], ours[part], part);
assert.equal(items.length, 1);
const [item, payload] = items[0];
const event = JSON.parse(new TextDecoder().decode(payload));
assert.equal(item.type, 'event');
assert.equal(sentry.envelopeItemTypeToDataCategory(item.type), 'error');
assert.equal(typeof event, 'object');
assert.equal(event.event_id, headers.event_id);
assert.equal(event.level, 'error');
assert.equal(event.tags.kind, 'crash');
assert.deepEqual(event.fingerprint, ['crash', '', 'SIGSEGV']);
// Written again by the library, it is read as the same.
const again = sentry.parseEnvelope(sentry.serializeEnvelope([headers, items]));
assert.deepEqual(again[0], headers);
assert.deepEqual(again[1][0][1], payload);
// It finds what is wrong: a length that is too short must not pass.
const broken = require('fs').readFileSync(file, 'utf8').replace(/"length":\d+/, '"length":7');
assert.throws(() => sentry.parseEnvelope(broken));
console.log('one event of kind ' + event.tags.kind + ' by @sentry/core ' + sentry.SDK_VERSION);
JS
node "$world/check.cjs" "$library" "$world/sentry/envelopes/1" "$dsn" > "$world/out" 2>&1 || fail "$(cat "$world/out")"
cat "$world/out"
