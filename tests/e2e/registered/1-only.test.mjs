// A server that runs nothing but what codegen registered, with the very file that codegen wrote; tests/run starts it.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { parse } from 'graphql';
import WebSocket from 'ws';
import { documents as operations } from '../support/documents.mjs';
import { registered } from '../support/registered.mjs';
import { ada, url } from '../support/setting.mjs';

const documents = await registered();
const named = name => {
  const found = documents.find(([, text]) =>
    parse(text).definitions.some(part => part.kind === 'OperationDefinition' && part.name.value === name),
  );
  if (!found) throw new Error(`codegen registered no ${name}`);
  return found;
};
const hash = text => createHash('sha256').update(text).digest('hex');
const send = async body => {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${ada.token}` },
    body: JSON.stringify(body),
  });
  return response.json();
};
const codes = ({ errors }) => errors?.map(({ extensions }) => extensions.code);

test('every document of the file is found by its id, and is a sound one', async () => {
  assert.equal(documents.length, operations.size);
  for (const [id, text] of documents) {
    const operation = parse(text).definitions.find(part => part.kind === 'OperationDefinition');
    const required = operation.variableDefinitions.some(one => one.type.kind === 'NonNullType' && !one.defaultValue);
    if (operation.operation !== 'query') continue;
    const answer = await send({ documentId: id, variables: {} });
    // Without its variables a document is not run, but it is known.
    assert.deepEqual(codes(answer), required ? ['BAD_USER_INPUT'] : undefined, operation.name.value);
  }
});

test('by its id, by its hash and by its text it is the same document', async () => {
  const [documentId, query] = named('AppShell');
  const sha256Hash = hash(query);
  for (const body of [
    { documentId },
    { extensions: { persistedQuery: { version: 1, sha256Hash } } },
    { query, extensions: { persistedQuery: { version: 1, sha256Hash } } },
    { query },
  ]) {
    const answer = await send(body);
    assert.equal(codes(answer), undefined);
    assert.equal(answer.data.viewer.user.email, ada.email);
  }
});

test('a mutation is one of them as well', async () => {
  const [documentId] = named('CreateTask');
  const variables = { input: { workspaceId: ada.workspaceId, title: 'Registered' } };
  const { data, errors } = await send({ documentId, variables });
  assert.equal(errors, undefined);
  assert.equal(data.createTask.task.title, 'Registered');
});

test('nothing else is run, and nothing can be added', async () => {
  const [, known] = named('AppShell');
  const query = '{ viewer { user { id } } }';
  const extensions = { persistedQuery: { version: 1, sha256Hash: hash(query) } };
  for (const other of [{ query }, { query, extensions }, { query: `${known} ` }, { query: '{ __schema { types { name } } }' }]) {
    assert.deepEqual(codes(await send(other)), ['PERSISTED_QUERY_REQUIRED']);
  }
  assert.deepEqual(codes(await send({ extensions })), ['PERSISTED_QUERY_NOT_FOUND']);
});

test('a socket has the same list', async () => {
  const socket = new WebSocket(`${url.replace(/^http/, 'ws')}/graphql`, 'graphql-transport-ws');
  const arrived = [];
  let wake = () => {};
  socket.on('message', text => {
    arrived.push(JSON.parse(text));
    wake();
  });
  const next = async matches => {
    for (;;) {
      const found = arrived.findIndex(matches);
      if (found >= 0) return arrived.splice(found, 1)[0];
      await new Promise(resolve => (wake = resolve));
    }
  };
  await new Promise(resolve => socket.once('open', resolve));
  socket.send(JSON.stringify({ type: 'connection_init', payload: { authorization: `Bearer ${ada.token}` } }));
  await next(({ type }) => type === 'connection_ack');

  socket.send(JSON.stringify({ id: 'other', type: 'subscribe', payload: { query: 'subscription { notificationReceived { id } }' } }));
  const refused = await next(({ id }) => id === 'other');
  assert.equal(refused.type, 'error');
  assert.equal(refused.payload[0].extensions.code, 'PERSISTED_QUERY_REQUIRED');

  // graphql-ws sends the text, which is as good as the id.
  const variables = { workspaceId: ada.workspaceId };
  const [, query] = named('ChangeCursor');
  const { data } = await send({ documentId: named('ChangeCursor')[0], variables });
  const after = data.workspace.changeCursor;
  socket.send(JSON.stringify({ id: 'cursor', type: 'subscribe', payload: { query, variables } }));
  assert.equal((await next(({ id }) => id === 'cursor')).type, 'next');
  const [, changes] = named('TaskChanged');
  socket.send(JSON.stringify({ id: 'live', type: 'subscribe', payload: { query: changes, variables: { ...variables, after } } }));
  const { data: made } = await send({
    documentId: named('CreateTask')[0],
    variables: { input: { workspaceId: ada.workspaceId, title: 'Seen live' } },
  });
  const change = await next(({ id }) => id === 'live');
  assert.equal(change.payload.data?.taskChanged.taskId, made.createTask.task.id, JSON.stringify(change));
  socket.close();
});
