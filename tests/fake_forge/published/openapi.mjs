// Recorded exchanges against GitHub's published OpenAPI description: usage: node openapi.mjs DESCRIPTION RECORDING
// An answer of 200 or so must be to a request that the description allows; every answer must have a status and a body
// as described, with nothing in it that the description does not know.
import { readFileSync } from 'fs';
import { createRequire } from 'module';
const require = createRequire(process.cwd() + '/');
const Ajv = require('ajv').default, addFormats = require('ajv-formats').default;

const [descriptionFile, recordingFile] = process.argv.slice(2);
const description = JSON.parse(readFileSync(descriptionFile, 'utf8'));

// Statuses that any operation may answer and that the description leaves out for most: they are told in GitHub's prose.
const ANYWHERE = new Set([301, 307, 400, 401, 403, 404, 415, 422]);

// Conditional requests are GitHub's for every GET.
const conditional = (entry) => entry.method === 'GET' && entry.status === 304;

// Where GitHub's own answers are known to differ from what it describes: a comment on a line that is gone, or on a file
// as a whole, has null for the places that it does not have.
const KNOWN = /^\/(\d+\/)?(line|original_line|position) must be integer/;

// OpenAPI 3.0 writes null in its own way; JSON Schema knows it as a type.
function plain(schema) {
  if (Array.isArray(schema)) return schema.map(plain);
  if (schema === null || typeof schema !== 'object') return schema;
  const made = {};
  for (const [name, value] of Object.entries(schema)) {
    if (name === 'nullable' && typeof value === 'boolean' || name === 'example' || name === 'examples') continue;
    made[name] = name === 'enum' || name === 'default' || name === 'required' ? value : plain(value);
  }
  if (schema.nullable === true) return { anyOf: [{ type: 'null' }, made] };
  return made;
}

const components = plain(description.components);
const ajv = new Ajv({ strict: false, allErrors: true, formats: { 'repo.nwo': true } });
addFormats(ajv);
ajv.addSchema({ $id: 'described', components });
const compiled = new Map();
function validator(schema) {
  const key = JSON.stringify(schema);
  if (!compiled.has(key))
    compiled.set(key, ajv.compile(JSON.parse(JSON.stringify(plain(schema)).replaceAll('"#/', '"described#/'))));
  return compiled.get(key);
}

const resolved = (schema) =>
  schema.$ref ? resolved(schema.$ref.slice(2).split('/').reduce((at, part) => at[part], description)) : schema;

// Members that no alternative of the schema knows; none where it leaves them open.
function unknown(schema, value, place = '') {
  if (value === null || typeof value !== 'object') return [];
  const parts = [];
  (function collect(one) {
    one = resolved(one);
    parts.push(one);
    for (const list of [one.allOf, one.anyOf, one.oneOf]) for (const part of list || []) collect(part);
  })(schema);
  if (Array.isArray(value)) {
    const items = parts.map((part) => part.items).filter(Boolean);
    return items.length ? value.flatMap((one, index) => unknown({ anyOf: items }, one, `${place}/${index}`)) : [];
  }
  const open = parts.some((part) => part.additionalProperties !== undefined && part.additionalProperties !== false);
  const properties = parts.filter((part) => part.properties);
  if (open || !properties.length) return [];
  return Object.entries(value).flatMap(([name, member]) => {
    const known = properties.map((part) => part.properties[name]).filter(Boolean);
    return known.length ? unknown({ anyOf: known }, member, `${place}/${name}`) : [`${place}/${name}`];
  });
}

const routes = Object.entries(description.paths).map(([path, operations]) => ({
  path, operations,
  // References and paths have slashes, which a template does not say.
  pattern: new RegExp('^' + path.replace(/[.]/g, '\\.').replace(/\{(ref|branch)\}/g, '(.+)').replace(/\{\w+\}/g, '([^/]+)') + '$'),
}));
// The most literal route is the one that is meant.
routes.sort((a, b) => a.path.split('{').length - b.path.split('{').length || b.path.length - a.path.length);

const problems = new Map();
function wrong(what, entry) {
  if (!problems.has(what)) problems.set(what, `${entry.method} ${entry.path} ${entry.status}`);
}
const shown = (errors) => errors.slice(0, 3).map((one) => `${one.instancePath} ${one.message} ${JSON.stringify(one.params)}`).join('; ');

let exchanges = 0;
const operationsSeen = new Set();
for (const line of readFileSync(recordingFile, 'utf8').split('\n').filter(Boolean)) {
  const entry = JSON.parse(line);
  if (!entry.path?.startsWith('/api/v3')) continue;
  exchanges++;
  const path = entry.path.slice('/api/v3'.length).replace(/^\/repositories\/\d+/, '/repos/o/r') || '/';
  const found = routes.find((route) => route.pattern.test(path) && route.operations[entry.method.toLowerCase()]);
  if (!found) {
    if (![404, 307].includes(entry.status)) wrong(`no such operation: ${entry.method} ${path}`, entry);
    continue;
  }
  const operation = found.operations[entry.method.toLowerCase()], name = operation.operationId;
  operationsSeen.add(name);
  if (entry.status < 300) {
    const schema = operation.requestBody && resolved(operation.requestBody).content?.['application/json']?.schema;
    if (entry.request && entry.request !== '') {
      if (!schema) wrong(`${name} takes no body`, entry);
      else {
        const body = JSON.parse(entry.request);
        if (!validator(schema)(body)) wrong(`${name} takes no such request: ${shown(validator(schema).errors)}`, entry);
        for (const member of unknown(schema, body)) wrong(`${name} knows no ${member} in a request`, entry);
      }
    }
    const parameters = (operation.parameters || []).map(resolved).filter((one) => one.in === 'query');
    for (const parameter of Object.keys(entry.query))
      if (!parameters.some((one) => one.name === parameter)) wrong(`${name} has no parameter ${parameter}`, entry);
  }
  const answer = operation.responses[entry.status];
  if (!answer && !ANYWHERE.has(entry.status) && !conditional(entry)) { wrong(`${name} answers no ${entry.status}`, entry); continue; }
  const kind = Object.entries(entry.headers).find(([header]) => header.toLowerCase() === 'content-type')?.[1] || '';
  if (!kind.startsWith('application/json')) {
    if (entry.reply && answer?.content?.['application/json'] && !kind.includes('.diff')) wrong(`${name} answers JSON, not ${kind}`, entry);
    continue;
  }
  // Refusals come in three forms: plain, with a list of errors, with a list of texts.
  const schema = (answer && resolved(answer).content?.['application/json']?.schema) ||
    (entry.status >= 400 ? { $ref: '#/components/schemas/basic-error' } : undefined);
  if (!schema) { if (answer && entry.reply && entry.status < 300) wrong(`${name} ${entry.status} has no body`, entry); continue; }
  const body = JSON.parse(entry.reply);
  const forms = entry.status === 422
    ? [schema, { $ref: '#/components/schemas/validation-error' }, { $ref: '#/components/schemas/validation-error-simple' }] : [schema];
  if (!forms.some((form) => validator(form)(body))) {
    const errors = (validator(schema)(body), validator(schema).errors).filter(
      (one) => !KNOWN.test(`${one.instancePath} ${one.message}`));
    if (errors.length) wrong(`${name} ${entry.status} is answered otherwise: ${shown(errors)}`, entry);
  }
  if (entry.status < 300) for (const member of unknown(schema, body)) wrong(`${name} ${entry.status} knows no ${member.replace(/\/\d+/g, '/N')}`, entry);
}
for (const [what, where] of problems) console.log(`${what}   [${where}]`);
if (!exchanges) problems.set('nothing was recorded', '');
console.log(`${exchanges} exchanges of ${operationsSeen.size} operations, ${problems.size} problems`);
process.exit(problems.size ? 1 : 0);
