// The documents of operations/, each operation with exactly the fragments that it uses.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parse, separateOperations } from 'graphql';

const folder = join(import.meta.dirname, '../operations');
const source = readdirSync(folder)
  .filter(name => name.endsWith('.graphql'))
  .map(name => readFileSync(join(folder, name), 'utf8'))
  .join('\n');

/** Operation name → document. */
export const documents = new Map(Object.entries(separateOperations(parse(source))));

export function documentOf(name) {
  const document = documents.get(name);
  if (!document) throw new Error(`no operation named ${name}`);
  return document;
}
