// GraphiQL in a real browser that can reach nothing but this server.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch } from '../support/browser.mjs';
import { person } from '../support/client.mjs';
import { ada, feedUrl, url } from '../support/setting.mjs';

const origin = new URL(url).origin;
const outside = [];
const complaints = [];
const sockets = [];
let close;
let browser;
let page;

before(async () => {
  ({ browser, close } = await launch({ width: 1280, height: 900 }));
  await browser.grantPermissions(['clipboard-read', 'clipboard-write'], { origin });
  await browser.route('**/*', (route, request) => {
    if (new URL(request.url()).origin === origin) return route.continue();
    outside.push(request.url());
    return route.abort('blockedbyclient');
  });
  page = await browser.newPage();
  await page.addInitScript(() => {
    addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) =>
      console.error(`policy: ${violatedDirective} ${blockedURI}`),
    );
  });
  page.on('console', message => message.type() === 'error' && complaints.push(message.text()));
  page.on('pageerror', error => complaints.push(error.message));
  page.on('websocket', socket => sockets.push(socket.url()));
});

after(async () => {
  await close?.();
});

/** Replaces the text of an editor by pasting; typing would meet the completion of brackets. */
async function paste(editor, text) {
  await page.click(`${editor} .view-lines`);
  await page.evaluate(copied => navigator.clipboard.writeText(copied), text);
  await page.keyboard.press('ControlOrMeta+KeyA');
  await page.keyboard.press('ControlOrMeta+KeyV');
  await shows(editor, text);
}

async function runQuery(query) {
  await paste('.graphiql-query-editor', query);
  await page.keyboard.press('Control+Enter');
}

/** Waits until an editor contains a text. */
async function shows(editor, text) {
  await page.waitForFunction(
    ([selector, wanted]) =>
      document.querySelector(`${selector} .view-lines`)?.innerText.replaceAll('\u00a0', ' ').includes(wanted),
    [editor, text],
    { timeout: 30_000 },
  );
}

const answerHas = text => shows('.result-window', text);

const isRunning = () => page.locator('button[aria-label^="Stop query"]');

test('the page loads, and everything on it comes from this server', async () => {
  const response = await page.goto(`${url}/graphiql`);
  assert.equal(response.status(), 200);
  const policy = response.headers()['content-security-policy'];
  assert.match(policy, /default-src 'none'/);
  assert.match(policy, /script-src 'self'(;|$)/);
  await page.waitForSelector('.graphiql-query-editor .view-line', { timeout: 30_000 });
});

test('a query runs with the token from the headers editor', async () => {
  await page.click('button:has-text("Headers")');
  await paste('.graphiql-editor-tool .graphiql-editor:not(.hidden)', `{"Authorization": "Bearer ${ada.token}"}`);
  await runQuery('{ viewer { user { email } } }');
  await answerHas(ada.email);
});

test('a subscription shows a change that is made elsewhere', async () => {
  await runQuery(`subscription { taskChanged(workspaceId: "${ada.workspaceId}") { task { title } } }`);
  await isRunning().waitFor({ timeout: 30_000 });
  await page.waitForTimeout(1000);
  const title = `In the browser ${Date.now()}`;
  await person(ada.token).command('CreateTask', { input: { workspaceId: ada.workspaceId, title } });
  await answerHas(title);
  await isRunning().click();
  await isRunning().waitFor({ state: 'detached', timeout: 30_000 });
});

test('a subscription runs to its end', async () => {
  const me = person(ada.token);
  const { integration } = await me.command('ConnectIntegration', {
    input: { workspaceId: ada.workspaceId, service: { icsFeed: { url: feedUrl, name: 'For the browser' } } },
  });
  let job;
  for (let tries = 0; !job && tries < 100; tries += 1) {
    const detail = await me.data('IntegrationDetail', { id: integration.id });
    job = detail.integration.recentSyncs[0]?.job;
    if (!job) await page.waitForTimeout(100);
  }
  assert.ok(job, 'the integration has a sync with a job');
  await runQuery(`subscription { jobProgress(jobId: "${job.id}") { status } }`);
  await answerHas('SUCCEEDED');
  await isRunning().waitFor({ state: 'detached', timeout: 30_000 });
});

test('nothing outside was asked for, and nothing was refused by the policy', () => {
  assert.deepEqual(outside, []);
  assert.deepEqual(complaints, []);
  assert.ok(sockets.length > 0 && sockets.every(address => new URL(address).host === new URL(url).host));
});
