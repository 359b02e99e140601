// The dashboard of the jobs in a real browser that can reach nothing but its listener. Ada looks after the installation by now, Bob does not.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch } from '../support/browser.mjs';
import { person } from '../support/client.mjs';
import { ada, adminUrl, bob, feedUrl, url } from '../support/setting.mjs';

const origin = new URL(adminUrl).origin;
const outside = [];
const complaints = [];
let close;
let browser;
let page;

before(async () => {
  ({ browser, close } = await launch({ width: 1400, height: 900 }));
  await browser.route('**/*', (route, request) => {
    const { protocol, origin: asked, pathname } = new URL(request.url());
    // Browsers look for an icon by themselves.
    if (pathname === '/favicon.ico') return route.fulfill({ status: 204 });
    if (protocol === 'data:' || asked === origin) return route.continue();
    outside.push(request.url());
    return route.abort('blockedbyclient');
  });
  page = await browser.newPage();
  await page.addInitScript(() => {
    addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) =>
      console.error(`policy: ${violatedDirective} ${blockedURI}`),
    );
  });
  // An answer that refuses is told as an error, too; those are wanted here.
  page.on('console', message => {
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) complaints.push(message.text());
  });
  page.on('pageerror', error => complaints.push(error.message));
  page.on('dialog', dialog => dialog.accept());
});

after(async () => {
  await close?.();
});

const patience = { timeout: 30_000 };
const queue = name => page.locator(`#queues tr[data-queue="${name}"]`);
const job = id => page.locator(`#jobs tr[data-job="${id}"]`);
const says = text => page.locator('#state', { hasText: text }).waitFor(patience);

async function signIn(token) {
  await page.fill('#token', token);
  await page.click('#enter button');
}

/** A sync that ends dead, because its feed wants a password that nobody has once it is connected. */
async function deadJob(name) {
  const me = person(ada.token);
  const locked = feedUrl.replace('feed.ics', `locked-${Date.now()}-${name}.ics`);
  const { integration } = await me.command('ConnectIntegration', {
    input: { workspaceId: ada.workspaceId, service: { icsFeed: { url: locked, name } } },
  });
  for (let tries = 0; tries < 150; tries += 1) {
    const detail = await me.data('IntegrationDetail', { id: integration.id });
    const found = detail.integration.recentSyncs[0]?.job;
    if (found?.status === 'DEAD') return found.id;
    await page.waitForTimeout(200);
  }
  throw new Error('the sync does not end dead');
}

test('the page loads with a strict policy and shows nothing to strangers', async () => {
  const response = await page.goto(`${adminUrl}/admin/jobs`);
  assert.equal(response.status(), 200);
  const policy = response.headers()['content-security-policy'];
  assert.match(policy, /default-src 'none'/);
  assert.match(policy, /script-src 'self'(;|$)/);
  await page.locator('#enter').waitFor(patience);
  assert.equal(await page.locator('#board').isVisible(), false);
});

test('a token of somebody else is refused and not kept', async () => {
  await signIn('nonsense');
  await page.locator('#state.problem').waitFor(patience);
  await signIn(bob.token);
  await says('administrator');
  assert.equal(await page.locator('#board').isVisible(), false);
  assert.equal(await page.evaluate(() => sessionStorage.length), 0);
});

test('an administrator sees the queues', async () => {
  await signIn(ada.token);
  await queue('calendar_sync').waitFor(patience);
  assert.equal(await page.locator('#queues tbody tr').count(), 6);
  const workers = await queue('email').locator('td').nth(8).innerText();
  assert.ok(Number(workers) >= 1, workers);
  // A tab that is loaded again is still signed in.
  await page.reload();
  await queue('calendar_sync').waitFor(patience);
});

test('a queue is paused and goes on', async () => {
  await queue('email').locator('button', { hasText: 'Pause' }).click();
  await queue('email').locator('button', { hasText: 'Resume' }).waitFor(patience);
  const answer = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${ada.token}` },
    body: JSON.stringify({ query: '{ jobQueues { name isPaused } }' }),
  });
  const { jobQueues } = (await answer.json()).data;
  assert.equal(jobQueues.find(one => one.name === 'EMAIL').isPaused, true);
  await queue('email').locator('button', { hasText: 'Resume' }).click();
  await queue('email').locator('button', { hasText: 'Pause' }).waitFor(patience);
});

test('dead jobs show their errors; one is put back, one discarded', async () => {
  const [first, second] = [await deadJob('first'), await deadJob('second')];
  for (const id of [first, second]) {
    await job(id).waitFor(patience);
    assert.match(await job(id).innerText(), /sync_integration/);
    assert.notEqual(await job(id).locator('td.error').innerText(), '');
  }
  const dead = Number(await queue('calendar_sync').locator('td').nth(4).innerText());
  assert.ok(dead >= 2, `${dead} are dead`);
  await job(second).locator('button', { hasText: 'Discard' }).click();
  await says(`${second} is gone`);
  await job(second).waitFor({ state: 'detached', ...patience });
  await job(first).locator('button', { hasText: 'Requeue' }).click();
  await says(`${first} is back in its queue`);
  const me = person(ada.token);
  assert.equal((await me.data('JobDetail', { id: second })).job, null);
  const { job: again } = await me.data('JobDetail', { id: first });
  assert.ok(again.status !== 'DEAD' || Date.parse(again.finishedAt) > Date.now() - 30_000, again.status);
});

test('whoever signs out leaves nothing behind', async () => {
  await page.click('#leave');
  await page.locator('#enter').waitFor(patience);
  assert.equal(await page.evaluate(() => sessionStorage.length), 0);
});

test('nothing outside was asked for, and nothing was refused by the policy', () => {
  assert.deepEqual(outside, []);
  assert.deepEqual(complaints, []);
});
