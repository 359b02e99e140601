// A front end generates its types from the schema and its own documents, and they type-check.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { generate } from '@graphql-codegen/cli';
import { buildSchema, validate } from 'graphql';
import { documents } from '../support/documents.mjs';
import { schemaPath, url } from '../support/setting.mjs';

const root = join(import.meta.dirname, '..');
const schema = await readFile(schemaPath, 'utf8');

test('the server serves the schema that the repository holds', async () => {
  const response = await fetch(`${url}/schema.graphql`);
  assert.equal(response.status, 200);
  assert.equal((await response.text()).trim(), schema.trim());
});

test('every operation is valid against the schema', () => {
  const built = buildSchema(schema);
  for (const [name, document] of documents) {
    assert.deepEqual(validate(built, document).map(String), [], name);
  }
});

test('codegen makes types from the documents, and code that uses them type-checks', async () => {
  await rm(join(root, 'generated'), { recursive: true, force: true });
  await generate(
    {
      cwd: root,
      silent: true,
      errorsOnly: true,
      schema: schemaPath,
      documents: [join(root, 'operations/*.graphql')],
      generates: {
        [`${join(root, 'generated')}/`]: {
          preset: 'client',
          presetConfig: { fragmentMasking: false },
          config: {
            enumsAsTypes: true,
            useTypeImports: true,
            strictScalars: true,
            scalars: {
              DateTime: 'string',
              EmailAddress: 'string',
              HexColor: 'string',
              JSON: 'unknown',
              LocalDate: 'string',
              LocalTime: 'string',
              RRule: 'string',
              TimeZone: 'string',
              URL: 'string',
            },
          },
        },
      },
    },
    true,
  );
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const run = promisify(execFile);
  await run(process.execPath, [tsc, '--project', join(root, 'codegen/tsconfig.json')]).catch(error =>
    assert.fail(error.stdout),
  );
});
