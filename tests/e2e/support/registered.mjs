// The documents of operations/ as GraphQL Code Generator registers them. Run by itself it prints the path of the file, for a server that is to
// be started with it: `node tests/e2e/support/registered.mjs`.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { generate } from '@graphql-codegen/cli';

const root = join(import.meta.dirname, '..');
const folder = join(root, 'generated/persisted');

/** Where code generators put what they registered. */
export const file = join(folder, 'persisted-documents.json');

/** Writes the file anew. */
export async function register(schema = join(root, '../../schema.graphql')) {
  await generate(
    {
      cwd: root,
      silent: true,
      errorsOnly: true,
      schema,
      documents: [join(root, 'operations/*.graphql')],
      generates: {
        [`${folder}/`]: { preset: 'client', presetConfig: { fragmentMasking: false, persistedDocuments: true } },
      },
    },
    true,
  );
}

/** What is in the file: `[id, text]` of each document. */
export async function registered() {
  return Object.entries(JSON.parse(await readFile(file, 'utf8')));
}

if (process.argv[1] === import.meta.filename) {
  await register();
  console.log(file);
}
