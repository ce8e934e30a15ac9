#!/usr/bin/env bash
# openapi.json is what a public validator takes for OpenAPI 3.1.
# TOWND_AGENTS is a folder in which scripts/agents has installed the validator from npm.
skip() { echo "skipped: $*"; exit 77; }
command -v node > /dev/null || skip "node is not installed, and the validator needs it"
validator=${TOWND_AGENTS:-}/node_modules/@redocly/openapi-core
[ -d "$validator" ] || skip "TOWND_AGENTS names no folder that has the validator"
. "$(dirname "$0")/world.sh"
up
read -r address < "$TOWND_DATA/listen"
admin=$(cat "$TOWND_DATA/admin.token")
curl -sS "http://$address/openapi.json" -H "Authorization: Bearer $admin" > "$world/openapi.json" || fail "no openapi.json"
cat > "$world/check.cjs" <<'JS'
// The rules about structure and references, as errors; matters of taste stay out.
const [validator, file] = process.argv.slice(2);
const { lint, createConfig } = require(validator);
(async () => {
  const names = ['struct', 'no-unresolved-refs', 'path-parameters-defined', 'operation-operationId-unique',
                 'no-identical-paths', 'operation-parameters-unique'];
  const config = await createConfig({ rules: Object.fromEntries(names.map((name) => [name, 'error'])) });
  const problems = await lint({ ref: file, config });
  for (const { ruleId, message, location } of problems.slice(0, 20))
    console.log(ruleId + ': ' + message + ' at ' + location.map((l) => l.pointer).join(' '));
  console.log(problems.length + ' problems');
  process.exit(problems.length ? 1 : 0);
})();
JS
node "$world/check.cjs" "$validator" "$world/openapi.json" > "$world/out" 2>&1 || fail "$(cat "$world/out")"
# It finds what is wrong: a reference to nothing must not pass.
sed 's|#/components/schemas/Bead"|#/components/schemas/Nothing"|' "$world/openapi.json" > "$world/broken.json"
! node "$world/check.cjs" "$validator" "$world/broken.json" > "$world/out" 2>&1 || fail "a broken document passed"
