// Documents that are named instead of sent: by the hashes that codegen writes into persisted-documents.json.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { register, registered } from '../support/registered.mjs';
import { ada, schemaPath, url } from '../support/setting.mjs';

const send = async body => {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${ada.token}` },
    body: JSON.stringify(body),
  });
  return response.json();
};

test('a document that codegen registered is sent once and named afterwards', async () => {
  await register(schemaPath);
  const [id, query] = (await registered()).find(([, text]) => text.includes('query AppShell'));
  const sha256Hash = createHash('sha256').update(query).digest('hex');
  assert.equal(id, `sha256:${sha256Hash}`);

  const extensions = { persistedQuery: { version: 1, sha256Hash } };
  const full = await send({ query, extensions });
  assert.equal(full.errors, undefined);
  for (const named of [{ extensions }, { documentId: id }]) {
    const { data, errors } = await send(named);
    assert.equal(errors, undefined);
    assert.equal(data.viewer.user.id, full.data.viewer.user.id);
  }
  const unknown = await send({ documentId: `sha256:${'0'.repeat(64)}` });
  assert.equal(unknown.errors[0].extensions.code, 'PERSISTED_QUERY_NOT_FOUND');
});
