// Runs the end-to-end tests against a server that is already up:
//
//   node tests/e2e/run.mjs --url http://127.0.0.1:8000 --seed seed.json --feed-port 18999 \
//     --issuer-port 18998
//
// --url        the server; --second-url another replica of it (the same one when omitted)
// --seed       what `meridian seed --json` printed
// --feed-port  a free port of 127.0.0.1 on which this program serves an ICS feed; the server must
//              have been started with MERIDIAN_OUTBOUND_ALLOW=127.0.0.1:<port>
// --issuer-port  a free port of 127.0.0.1 on which this program serves an OpenID provider; the server must have been
//              started with it as the provider `local`, see tests/run
// --admin-url  the listener for operators of the server; only for tests in operators/, whose people must be administrators by then
// --schema     the exported schema, schema.graphql of the repository when omitted
// Further arguments are test files; all of tests/ when there are none.
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { serveFeed } from './support/feed.mjs';
import { serveIssuer } from './support/issuer.mjs';

const here = import.meta.dirname;
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    url: { type: 'string' },
    'second-url': { type: 'string' },
    seed: { type: 'string' },
    'feed-port': { type: 'string' },
    'issuer-port': { type: 'string' },
    'admin-url': { type: 'string' },
    schema: { type: 'string', default: join(here, '../../schema.graphql') },
  },
});
for (const name of ['url', 'seed', 'feed-port', 'issuer-port']) {
  if (!values[name]) {
    console.error(`--${name} is missing; the head of ${import.meta.filename} says what it is`);
    process.exit(2);
  }
}

const files = positionals.length
  ? positionals.map(file => resolve(file))
  : readdirSync(join(here, 'tests'))
      .filter(name => name.endsWith('.test.mjs'))
      .sort()
      .map(name => join(here, 'tests', name));

const feed = await serveFeed(Number(values['feed-port']));
const issuer = await serveIssuer(Number(values['issuer-port']), [values.url]);
const tests = spawn(
  process.execPath,
  ['--test', '--test-concurrency=1', '--test-timeout=180000', '--test-reporter=spec', ...files],
  {
    cwd: here,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: {
      ...process.env,
      MERIDIAN_E2E_URL: values.url,
      MERIDIAN_E2E_SECOND_URL: values['second-url'] ?? values.url,
      MERIDIAN_E2E_SEED: resolve(values.seed),
      MERIDIAN_E2E_FEED: feed.url,
      MERIDIAN_E2E_ISSUER: issuer.url,
      MERIDIAN_E2E_ADMIN_URL: values['admin-url'] ?? '',
      MERIDIAN_E2E_SCHEMA: resolve(values.schema),
    },
  },
);
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => tests.kill(signal));
tests.on('exit', (code, signal) => {
  feed.close();
  issuer.close();
  process.exitCode = signal ? 1 : code;
});
