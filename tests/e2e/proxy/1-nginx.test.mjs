// Through nginx with the file of operations/, as people come: https, a name, two replicas behind it. tests/run starts all of it, in production,
// and sets MERIDIAN_E2E_PROXY_HTTPS, _HTTP and _SMTP to ports, _CERTIFICATE to a file and _VICTIM to the process of one replica.
//
// Everybody comes from 127.0.0.9, which is no proxy's address, and always claims to be somebody else.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { after, before, test } from 'node:test';
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';
import { serveMailbox } from '../support/mailbox.mjs';

const set = name => process.env[`MERIDIAN_E2E_PROXY_${name}`];
const NAME = 'meridian.example.org';
const ADDRESS = '127.0.0.9';
const FORGED = '203.0.113.66';
const EMAIL = 'nina@example.org';
const PORT = Number(set('HTTPS'));

/** Whoever comes from this address finds the name at nginx and knows its certificate. */
const agent = localAddress =>
  new https.Agent({
    keepAlive: true,
    ca: readFileSync(set('CERTIFICATE')),
    localAddress,
    servername: NAME,
    lookup: (_name, options, done) =>
      options.all ? done(null, [{ address: '127.0.0.1', family: 4 }]) : done(null, '127.0.0.1', 4),
  });
const mine = agent(ADDRESS);
const agents = [mine];

/** One request; the answer with its whole text. */
function send(path, { method = 'GET', headers = {}, body, via = mine, plain = false } = {}) {
  return new Promise((resolve, reject) => {
    const target = plain
      ? { host: '127.0.0.1', port: Number(set('HTTP')) }
      : { host: NAME, port: PORT, agent: via };
    const request = (plain ? http : https).request(
      { ...target, method, path, headers: { host: NAME, 'x-forwarded-for': FORGED, ...headers } },
      response => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', part => (text += part));
        response.on('end', () => resolve({ status: response.statusCode, headers: response.headers, text }));
        response.on('error', reject);
      },
    );
    request.on('error', reject);
    request.end(body);
  });
}

const cookies = new Map();
let secret;

/** A request of the browser: with its cookies, which it keeps. */
async function browse(path, options = {}) {
  const answer = await send(path, {
    ...options,
    headers: { cookie: [...cookies].map(pair => pair.join('=')).join('; '), ...options.headers },
  });
  for (const line of answer.headers['set-cookie'] ?? []) {
    const [, name, value] = line.match(/^([^=]+)=([^;]*)/);
    if (value) cookies.set(name, value);
    else cookies.delete(name);
  }
  return answer;
}

const json = { 'content-type': 'application/json' };
const origin = `https://${NAME}`;
const headers = () => ({ ...json, authorization: `Bearer ${secret}` });

async function gql(query, variables = {}, how = headers()) {
  const { status, text } = await browse('/graphql', { method: 'POST', headers: how, body: JSON.stringify({ query, variables }) });
  assert.equal(status, 200, text);
  const { data, errors } = JSON.parse(text);
  assert.equal(errors, undefined, text);
  return data;
}

let mailbox;
before(async () => {
  mailbox = await serveMailbox(Number(set('SMTP')));
});
after(() => {
  mailbox.close();
  for (const one of agents) one.destroy();
});

test('plain http leads to https', async () => {
  const answer = await send('/graphql?x=1', { plain: true });
  assert.equal(answer.status, 301);
  assert.equal(answer.headers.location, `${origin}/graphql?x=1`);
});

test('a person signs in by e-mail over https, with a cookie that only this host gets', async () => {
  const asked = await browse('/auth/email', {
    method: 'POST',
    headers: { ...json, origin },
    body: JSON.stringify({ email: EMAIL, returnTo: '/welcome' }),
  });
  assert.equal(asked.status, 202, asked.text);
  const link = await mailbox.link(/https:\/\/meridian\.example\.org\/auth\/email\/link\?token=[\w-]+/);
  const ended = await browse(`${link.pathname}${link.search}`);
  assert.equal(ended.status, 303, ended.text);
  assert.equal(ended.headers.location, `${origin}/welcome`);
  const cookie = ended.headers['set-cookie'].find(line => line.startsWith('__Host-meridian='));
  assert.match(cookie, /; Path=\/; .*HttpOnly; .*Secure/);
  assert.match(ended.headers['strict-transport-security'], /max-age=\d+/);

  const { viewer } = await gql('{ viewer { user { email } } }', {}, { ...json, origin });
  assert.equal(viewer.user.email, EMAIL);
  const foreign = await browse('/graphql', {
    method: 'POST',
    headers: { ...json, origin: 'https://evil.example' },
    body: JSON.stringify({ query: '{ viewer { user { email } } }' }),
  });
  assert.match(foreign.text, /CSRF_FAILED/);
});

test('a token works as well', async () => {
  const { createApiToken } = await gql(
    'mutation { createApiToken(input: { name: "proxy", scopes: [ADMIN] }) { secret userErrors { message } } }',
    {},
    { ...json, origin },
  );
  assert.deepEqual(createApiToken.userErrors, []);
  secret = createApiToken.secret;
  cookies.clear();
  const { viewer } = await gql('{ viewer { user { email } } }');
  assert.equal(viewer.user.email, EMAIL);
});

test('the address of a person is where they are, whatever they claim', async () => {
  const { viewer } = await gql('{ viewer { sessions { ipAddress } workspaces { auditLogs { nodes { action ipAddress } } } } }');
  assert.deepEqual(viewer.sessions.map(({ ipAddress }) => ipAddress), [ADDRESS]);
  const [{ auditLogs }] = viewer.workspaces;
  const made = auditLogs.nodes.find(({ action }) => action.startsWith('api_token.'));
  assert.equal(made?.ipAddress, ADDRESS, JSON.stringify(auditLogs.nodes));
  assert.doesNotMatch(JSON.stringify(auditLogs.nodes), new RegExp(FORGED));
});

test('another claim each time is no other budget, and a neighbour has their own', async () => {
  const via = agent('127.0.0.10');
  agents.push(via);
  const guess = (claimed, from) =>
    send('/auth/email', {
      method: 'POST',
      via: from,
      headers: { ...json, origin, 'x-forwarded-for': claimed },
      body: JSON.stringify({ email: 'nobody' }),
    });
  const seen = [];
  for (let index = 0; index < 8; index += 1) seen.push((await guess(`198.51.100.${index}`, via)).status);
  assert.ok(seen.includes(400) && seen.at(-1) === 429, seen.join());
  assert.equal((await guess('127.0.0.10', mine)).status, 400);
});

test('a file of more than a megabyte is imported, and nothing else is as long', async () => {
  const [{ id: workspaceId }] = (await gql('{ viewer { workspaces { id } } }')).viewer.workspaces;
  const rows = Array.from({ length: 150 }, (_, index) => `Imported ${index},${'long '.repeat(1900)}`);
  const body = ['title,description', ...rows, ''].join('\r\n');
  assert.ok(body.length > 1.2 * 1024 * 1024, `${body.length} bytes`);
  const type = { authorization: `Bearer ${secret}`, 'content-type': 'text/csv', 'content-length': Buffer.byteLength(body) };
  const taken = await send(`/api/import?workspaceId=${workspaceId}&format=CSV`, { method: 'POST', headers: type, body });
  assert.equal(taken.status, 202, taken.text);
  const { id } = JSON.parse(taken.text).dataTransfer;
  let transfer;
  for (let tries = 0; tries < 100 && transfer?.status !== 'SUCCEEDED'; tries += 1) {
    await new Promise(resolve => setTimeout(resolve, 100));
    ({ dataTransfer: transfer } = await gql(
      'query($id: ID!) { dataTransfer(id: $id) { status processedCount problems { message } } }',
      { id },
    ));
  }
  assert.deepEqual([transfer.status, transfer.processedCount, transfer.problems], ['SUCCEEDED', rows.length, []]);
  const refused = await send('/graphql', { method: 'POST', headers: { ...headers(), 'content-length': Buffer.byteLength(body) }, body });
  assert.equal(refused.status, 413);
});

test('subscriptions go through it, and when a replica dies they and the requests go on', async () => {
  const [{ id: workspaceId, changeCursor }] = (await gql('{ viewer { workspaces { id changeCursor } } }')).viewer.workspaces;
  class Socket extends WebSocket {
    constructor(url, protocols) {
      super(url, protocols, { agent: agent(ADDRESS), headers: { host: NAME, 'x-forwarded-for': FORGED } });
    }
  }
  let connected = 0;
  const people = Array.from({ length: 6 }, () => {
    const client = createClient({
      url: `wss://${NAME}:${PORT}/graphql`,
      webSocketImpl: Socket,
      connectionParams: { authorization: `Bearer ${secret}` },
      lazy: false,
      retryAttempts: 10,
      retryWait: () => new Promise(resolve => setTimeout(resolve, 100)),
      shouldRetry: () => true,
      on: { connected: () => (connected += 1) },
      onNonLazyError: () => {},
    });
    const seen = new Set();
    client.subscribe(
      {
        query: 'subscription($id: ID!, $after: String) { taskChanged(workspaceId: $id, after: $after) { task { title } } }',
        variables: { id: workspaceId, after: changeCursor },
      },
      { next: ({ data }) => seen.add(data?.taskChanged.task?.title), error: () => {}, complete: () => {} },
    );
    return { client, seen };
  });
  const until = async (holds, what) => {
    const deadline = Date.now() + 15_000;
    while (!holds()) {
      assert.ok(Date.now() < deadline, `waited in vain until ${what}`);
      await new Promise(resolve => setTimeout(resolve, 50));
    }
  };
  const create = title =>
    gql('mutation($input: CreateTaskInput!) { createTask(input: $input) { task { id } userErrors { message } } }', {
      input: { workspaceId, title },
    });
  try {
    await until(() => connected === people.length, 'all were connected');
    await create('Before');
    await until(() => people.every(({ seen }) => seen.has('Before')), 'all saw a change');

    process.kill(Number(set('VICTIM')), 'SIGKILL');
    await until(() => connected > people.length, 'somebody was cut off and came back');
    // One after another: each needs a replica that lives, from the first on.
    for (let index = 0; index < 20; index += 1) await create(`After ${index}`);
    await until(() => people.every(({ seen }) => seen.has('After 19')), 'all saw what came after');
  } finally {
    for (const { client } of people) client.dispose();
  }
});
