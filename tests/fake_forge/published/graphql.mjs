// Our part of GitHub's GraphQL schema against the published one: usage: node graphql.mjs PUBLISHED OURS
// Every type, field, argument, value and interface of ours is there, of the same kind and type.
import { readFileSync } from 'fs';
import { createRequire } from 'module';
const require = createRequire(process.cwd() + '/');
const { buildSchema, isEnumType, isInputObjectType, isInterfaceType, isObjectType, isRequiredArgument, isUnionType } =
  require('graphql');

const [publishedFile, oursFile] = process.argv.slice(2);
const published = buildSchema(readFileSync(publishedFile, 'utf8'), { assumeValid: true });
const ours = buildSchema(readFileSync(oursFile, 'utf8'));
const problems = [];
let fields = 0, types = 0;

function sameMembers(where, mine, theirs) {
  for (const [name, one] of Object.entries(mine)) {
    fields++;
    const other = theirs[name];
    if (!other) { problems.push(`${where}.${name} is not published`); continue; }
    if (String(one.type) !== String(other.type)) problems.push(`${where}.${name} is ${other.type}, not ${one.type}`);
    if (!!one.deprecationReason !== !!other.deprecationReason) problems.push(`${where}.${name} differs in being deprecated`);
    for (const argument of one.args || []) {
      const known = other.args.find((found) => found.name === argument.name);
      if (!known) problems.push(`${where}.${name}(${argument.name}) is not published`);
      else if (String(known.type) !== String(argument.type))
        problems.push(`${where}.${name}(${argument.name}) is ${known.type}, not ${argument.type}`);
      else if (JSON.stringify(known.defaultValue) !== JSON.stringify(argument.defaultValue))
        problems.push(`${where}.${name}(${argument.name}) has another default`);
    }
    for (const needed of (other.args || []).filter(isRequiredArgument))
      if (!one.args.some((argument) => argument.name === needed.name)) problems.push(`${where}.${name} lacks ${needed.name}`);
  }
}

for (const [name, type] of Object.entries(ours.getTypeMap())) {
  if (name.startsWith('__')) continue;
  types++;
  const other = published.getType(name);
  if (!other) { problems.push(`${name} is not published`); continue; }
  if (other.constructor.name !== type.constructor.name) { problems.push(`${name} is a ${other.constructor.name}`); continue; }
  if (isObjectType(type) || isInterfaceType(type)) {
    sameMembers(name, type.getFields(), other.getFields());
    for (const one of type.getInterfaces())
      if (!other.getInterfaces().some((found) => found.name === one.name)) problems.push(`${name} is no ${one.name}`);
  } else if (isInputObjectType(type)) {
    sameMembers(name, type.getFields(), other.getFields());
    for (const field of Object.keys(other.getFields())) if (!type.getFields()[field]) problems.push(`${name} lacks ${field}`);
  } else if (isEnumType(type)) {
    const mine = type.getValues().map((one) => one.name).sort().join(), theirs = other.getValues().map((one) => one.name).sort().join();
    if (mine !== theirs) problems.push(`${name} has other values`);
  } else if (isUnionType(type)) {
    for (const one of type.getTypes())
      if (!other.getTypes().some((found) => found.name === one.name)) problems.push(`${one.name} is not among ${name}`);
  }
}
for (const what of problems) console.log(what);
console.log(`${types} types, ${fields} fields, ${problems.length} problems`);
process.exit(problems.length ? 1 : 0);
