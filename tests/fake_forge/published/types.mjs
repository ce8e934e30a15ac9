// Recorded exchanges against the types that are generated from Gitea's published OpenAPI description:
// usage: node types.mjs DECLARATIONS RECORDING
// Every request that was done is written as a call of the client, every answer as a literal of the type that the client
// returns, and TypeScript says what does not fit: unknown members too. The types say nothing of statuses, and let every
// member be missing or null.
import { readFileSync } from 'fs';
import { createRequire } from 'module';
const require = createRequire(process.cwd() + '/');
const ts = require('typescript');

const [declarations, recordingFile] = process.argv.slice(2);

// What came after the version that the types are of: Gitea 1.26 and 1.27 resolve conversations and reply in them.
const LATER = /^\/repos\/[^/]+\/[^/]+\/pulls\/(comments\/\d+\/(un)?resolve|\d+\/comments\/\d+\/replies)$/;

// The operations, from the comments of the class: `@request GET:/repos/{owner}/{repo}`.
const source = ts.createSourceFile(declarations, readFileSync(declarations, 'utf8'), ts.ScriptTarget.Latest, true);
const client = source.statements.find((one) => ts.isClassDeclaration(one) && one.name.text === 'Api');
const operations = client.members.filter((one) => one.type && ts.isTypeLiteralNode(one.type)).flatMap((group) =>
  group.type.members.map((member) => {
    const request = ts.getJSDocTags(member).find((tag) => tag.tagName.text === 'request').comment;
    const path = request.slice(request.indexOf(':') + 1), names = [...path.matchAll(/\{(\w+)\}/g)].map((found) => found[1]);
    // Names of branches have slashes, which a template does not say.
    const pattern = path.replace(/[.]/g, '\\.').replace(/\{(branch|ref|head|name)\}/g, '(.+)').replace(/\{\w+\}/g, '([^/]+)');
    return { method: request.slice(0, request.indexOf(':')), names, pattern: new RegExp(`^${pattern}$`), path,
             name: `${group.name.text}.${member.name.text}`, parameters: member.type.parameters };
  }));
operations.sort((a, b) => a.names.length - b.names.length || b.path.length - a.path.length);

// A value of the address as its declared type has it.
function typed(text, type) {
  const kind = type && type.kind;
  if (kind === ts.SyntaxKind.NumberKeyword) return /^\d+$/.test(text) ? Number(text) : text;
  if (kind === ts.SyntaxKind.BooleanKeyword) return text === 'true';
  return text;
}
function argument(parameter, operation, parts, entry) {
  const name = parameter.name.text, place = operation.names.indexOf(name.replace(/_/g, ''));
  const found = place < 0 ? operation.names.indexOf(name) : place;
  if (found >= 0) return typed(parts[found], parameter.type);
  if (name === 'body') return entry.request ? JSON.parse(entry.request) : undefined;
  if (name !== 'query') return undefined;
  const members = new Map(parameter.type.members.map((one) => [one.name.text, one.type]));
  return Object.fromEntries(Object.entries(entry.query).map(([key, value]) => [key, typed(value, members.get(key))]));
}

const problems = new Map(), lines = [], seen = new Map(), written = new Set();
const wrong = (what, entry) => problems.has(what) || problems.set(what, `${entry.method} ${entry.path} ${entry.status}`);
function write(line, entry) {
  if (written.has(line)) return;
  written.add(line);
  lines.push(line);
  seen.set(lines.length, entry);
}
// Gitea writes `username` beside `login` for older clients, and does not describe it.
const described = (key, value) => {
  if (value && value.login !== undefined) delete value.username;
  return value;
};

// One answer of each form is enough; texts that could be of an enumeration are part of the form.
const form = (value) => JSON.stringify(value, (key, member) => typeof member === 'number' ? 0 :
  typeof member === 'string' && !['state', 'status', 'object_format_name'].includes(key) ? '' : member);

// Webhooks are not described, but what is in them mostly is.
const PARTS = { repository: 'Repository', sender: 'User', pusher: 'User', pull_request: 'PullRequest', comment: 'Comment',
                issue: 'Issue', commit: 'PayloadCommit', head_commit: 'PayloadCommit' };
function deliver(entry) {
  deliveries++;
  for (const [name, value] of Object.entries(JSON.parse(JSON.stringify(entry.payload), described))) {
    const key = entry.event + name + form(value);
    if (!PARTS[name] || forms.has(key)) continue;
    forms.add(key);
    write(`{ const said: types.${PARTS[name]} = ${JSON.stringify(value)}; }`,
      { method: 'webhook', path: `${entry.event} ${name}`, status: '' });
  }
}

let exchanges = 0, deliveries = 0;
const forms = new Set(), operationsSeen = new Set();
const where = JSON.stringify(declarations.replace(/\.d\.ts$/, ''));
lines.push(`import { giteaApi } from ${where};`, `import type * as types from ${where};`,
  "const api = giteaApi('');", 'type Data<F extends (...all: any[]) => Promise<{ data: unknown }>> = Awaited<ReturnType<F>>["data"];');
for (const line of readFileSync(recordingFile, 'utf8').split('\n').filter(Boolean)) {
  const entry = JSON.parse(line);
  if (entry.event) deliver(entry);
  if (!entry.path?.startsWith('/api/v1/')) continue;
  exchanges++;
  const path = entry.path.slice('/api/v1'.length);
  if (entry.status >= 300 || LATER.test(path)) continue;
  const operation = operations.find((one) => one.method === entry.method && one.pattern.test(path));
  if (!operation) { wrong(`no such operation: ${entry.method} ${path}`, entry); continue; }
  operationsSeen.add(operation.name);
  const parts = path.match(operation.pattern).slice(1);
  const given = operation.parameters.map((one) => argument(one, operation, parts, entry));
  if (entry.request && !operation.parameters.some((one) => one.name.text === 'body')) wrong(`${operation.name} takes no body`, entry);
  if (Object.keys(entry.query).length && !operation.parameters.some((one) => one.name.text === 'query'))
    wrong(`${operation.name} takes no ${Object.keys(entry.query)}`, entry);
  write(`api.${operation.name}(${given.map((one) => JSON.stringify(one)).join(', ').replace(/(, )+$/, '')});`, entry);
  if (!entry.reply) continue;
  const answer = JSON.parse(entry.reply, described), key = operation.name + form(Array.isArray(answer) ? answer.slice(0, 3) : answer);
  if (forms.has(key)) continue;
  forms.add(key);
  write(`{ const said: Data<typeof api.${operation.name}> = ${JSON.stringify(answer)}; }`, entry);
}

const host = ts.createCompilerHost({}), read = host.getSourceFile.bind(host), text = lines.join('\n');
host.getSourceFile = (name, ...more) => name === 'said.ts' ? ts.createSourceFile(name, text, ts.ScriptTarget.Latest) : read(name, ...more);
const program = ts.createProgram(['said.ts'], { noEmit: true, skipLibCheck: true, target: ts.ScriptTarget.ES2022, types: [],
  module: ts.ModuleKind.ESNext, moduleResolution: ts.ModuleResolutionKind.Bundler, lib: ['lib.es2022.d.ts', 'lib.dom.d.ts'] }, host);
for (const one of ts.getPreEmitDiagnostics(program)) {
  const place = one.file?.getLineAndCharacterOfPosition(one.start), entry = place && seen.get(place.line + 1);
  const words = ts.flattenDiagnosticMessageText(one.messageText, ' ').slice(0, 300);
  if (entry) wrong(`${entry.method} ${entry.path.replace(/r\d+/, 'rN').replace(/\d+/g, 'N')}: ${words}`, entry);
  else problems.set(words, one.file?.fileName || '');
}
for (const [what, where] of problems) console.log(`${what}   [${where}]`);
if (!exchanges || !deliveries) problems.set('nothing was recorded', '');
console.log(`${exchanges} exchanges and ${deliveries} webhooks of ${operationsSeen.size} operations, ${problems.size} problems`);
process.exit(problems.size ? 1 : 0);
