// Recorded webhooks against GitHub's published schemas: usage: node webhooks.mjs SCHEMA RECORDING
import { readFileSync } from 'fs';
import { createRequire } from 'module';
const require = createRequire(process.cwd() + '/');
const Ajv = require('ajv').default, addFormats = require('ajv-formats').default;

const [schemaFile, recordingFile] = process.argv.slice(2);
const schema = JSON.parse(readFileSync(schemaFile, 'utf8'));
const ajv = new Ajv({ strict: false, allErrors: true });
addFormats(ajv);
ajv.addSchema({ ...schema, $id: 'webhooks' });

const problems = new Map(), seen = new Set();
let payloads = 0;
for (const line of readFileSync(recordingFile, 'utf8').split('\n').filter(Boolean)) {
  const entry = JSON.parse(line);
  if (!entry.event) continue;
  payloads++;
  const name = `${entry.event}$${entry.action || 'event'}`;
  seen.add(name);
  if (!schema.definitions[name]) { problems.set(`${name} is no event`, 1); continue; }
  const validate = ajv.getSchema(`webhooks#/definitions/${name}`);
  if (!validate(entry.payload))
    for (const one of validate.errors)
      problems.set(`${name}: ${one.instancePath.replace(/\/\d+/g, '/N')} ${one.message} ${JSON.stringify(one.params)}`, 1);
}
for (const what of problems.keys()) console.log(what);
if (!payloads) problems.set('nothing was recorded', 1);
console.log(`${payloads} payloads of ${seen.size} events, ${problems.size} problems`);
process.exit(problems.size ? 1 : 0);
