// A person signs in at a real OpenID provider, step by step as a browser does it, and signs out there again.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { issuerUrl, url } from '../support/setting.mjs';

/** Cookies by origin, redirects one by one, forms by their fields. */
class Browser {
  #cookies = new Map();

  async send(target, { method = 'GET', form, headers = {} } = {}) {
    const { origin } = new URL(target);
    const jar = this.#cookies.get(origin) ?? new Map();
    this.#cookies.set(origin, jar);
    const response = await fetch(target, {
      method,
      redirect: 'manual',
      headers: {
        ...headers,
        ...(jar.size ? { cookie: [...jar].map(pair => pair.join('=')).join('; ') } : {}),
        ...(form ? { 'content-type': 'application/x-www-form-urlencoded' } : {}),
      },
      body: form ? new URLSearchParams(form) : undefined,
    });
    for (const line of response.headers.getSetCookie()) {
      const [, name, value] = line.match(/^([^=]+)=([^;]*)/);
      if (value) jar.set(name, value);
      else jar.delete(name);
    }
    return response;
  }

  /** Follows redirects until one leads to an address that matches; fails when they end before. */
  async until(response, matches) {
    for (let step = 0; step < 15; step += 1) {
      const location = response.headers.get('location');
      if (!location) throw new Error(`no redirect: ${response.status} ${await response.text()}`);
      const next = new URL(location, response.url);
      if (matches(next)) return { next, response };
      response = await this.send(next);
    }
    throw new Error('too many redirects');
  }

  /** Fills in and sends the form of a page. */
  async submit(page, fields) {
    const html = await page.text();
    const action = new URL(html.match(/action="([^"]+)"/)[1].replaceAll('&amp;', '&'), page.url);
    const hidden = [...html.matchAll(/type="hidden" name="([^"]+)" value="([^"]*)"/g)].map(([, name, value]) => [name, value]);
    return this.send(action, { method: 'POST', form: { ...Object.fromEntries(hidden), ...fields } });
  }

  signedIn() {
    return this.#cookies.get(new URL(url).origin)?.has('meridian') ?? false;
  }

  async viewer() {
    const response = await fetch(`${url}/graphql`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'x-meridian-csrf': '1',
        cookie: [...(this.#cookies.get(new URL(url).origin) ?? [])].map(pair => pair.join('=')).join('; '),
      },
      body: JSON.stringify({
        query: `{ viewer { user { name email emailVerifiedAt } preferences { timeZone } workspaces { type }
          accounts { provider providerName issuer scopes } } }`,
      }),
    });
    return (await response.json()).data?.viewer;
  }
}

/** Leaves for the provider, signs in there and agrees, and comes back to the address that ends it all. */
async function signIn(browser, login, query = '') {
  const leaving = await browser.send(`${url}/auth/local${query}`);
  const { next: interaction } = await browser.until(leaving, next => next.pathname.startsWith('/interaction/'));
  let response = await browser.submit(await browser.send(interaction), { login, password: 'any' });
  let { next } = await browser.until(response, one => one.pathname.startsWith('/interaction/') || one.pathname === '/auth/callback');
  if (next.pathname.startsWith('/interaction/')) {
    response = await browser.submit(await browser.send(next), {});
    ({ next } = await browser.until(response, one => one.pathname === '/auth/callback'));
  }
  return next;
}

test('a person signs in at a real provider, comes back to themselves, and signs out there too', async () => {
  const browser = new Browser();
  const callback = await signIn(browser, 'carol', '?returnTo=/welcome');
  assert.equal(callback.searchParams.get('iss'), issuerUrl, 'the provider names itself');
  const stranger = new Browser();
  assert.equal((await stranger.send(callback)).status, 400, 'another browser gets nothing');

  const ended = await browser.send(callback);
  assert.equal(ended.status, 303);
  assert.equal(ended.headers.get('location'), `${url}/welcome`);
  assert.ok(browser.signedIn());
  const viewer = await browser.viewer();
  assert.deepEqual([viewer.user.name, viewer.user.email], ['Person carol', 'carol@issuer.example']);
  assert.ok(viewer.user.emailVerifiedAt);
  assert.equal(viewer.preferences.timeZone, 'Europe/Lisbon');
  assert.ok(viewer.workspaces.some(({ type }) => type === 'PERSONAL'));
  assert.deepEqual(viewer.accounts.map(({ provider, providerName, issuer }) => [provider, providerName, issuer]), [
    ['OIDC', 'local', issuerUrl],
  ]);
  assert.equal((await browser.send(callback)).status, 400, 'a code works once');

  // The provider remembers her: this time nothing is to be filled in.
  const again = await browser.send(`${url}/auth/local`);
  const { next } = await browser.until(again, one => one.pathname === '/auth/callback');
  assert.equal((await browser.send(next)).status, 303);

  const out = await browser.send(`${url}/auth/logout`, { method: 'POST', headers: { 'x-meridian-csrf': '1' } });
  assert.equal(out.status, 200);
  const { endSessionUrl } = await out.json();
  assert.ok(!browser.signedIn());
  const page = await browser.send(endSessionUrl);
  assert.equal(page.status, 200, 'the provider asks whether to sign out');
  const confirmed = await browser.submit(page, { logout: 'yes' });
  const { next: end } = await browser.until(confirmed, one => one.origin === new URL(url).origin);
  assert.equal(end.href, `${url}/`);
});

test('who turns back at the provider is not signed in', async () => {
  const browser = new Browser();
  const leaving = await browser.send(`${url}/auth/local?returnTo=/back`);
  const { next: interaction } = await browser.until(leaving, next => next.pathname.startsWith('/interaction/'));
  const { next } = await browser.until(await browser.send(new URL(`${interaction.href}/abort`)), one => one.pathname === '/auth/callback');
  assert.equal(next.searchParams.get('error'), 'access_denied');
  const ended = await browser.send(next);
  assert.equal(ended.headers.get('location'), `${url}/back?signInError=ACCESS_DENIED`);
  assert.ok(!browser.signedIn());
});

test('what the provider did not say to us, for this sign-in and now, is not believed', async () => {
  const now = () => Math.floor(Date.now() / 1000);
  const lies = [
    ['another nonce', { claims: { nonce: 'of another sign-in' } }, 'PROVIDER_INVALID'],
    ['another audience', { claims: { aud: 'somebody-else' } }, 'PROVIDER_INVALID'],
    ['another issuer', { claims: { iss: 'https://evil.example' } }, 'PROVIDER_INVALID'],
    ['expired', { claims: { exp: now() - 120 } }, 'PROVIDER_INVALID'],
    ['from the future', { claims: { iat: now() + 600, exp: now() + 1200 } }, 'PROVIDER_INVALID'],
    ['alg none', { header: { alg: 'none' } }, 'PROVIDER_INVALID'],
    ['a key that nobody knows', { header: { kid: 'unknown' } }, 'PROVIDER_INVALID'],
    ['down', { how: 'down' }, 'PROVIDER_UNAVAILABLE'],
    ['slow', { how: 'slow' }, 'PROVIDER_UNAVAILABLE'],
    ['huge', { how: 'huge' }, 'PROVIDER_UNAVAILABLE'],
  ];
  for (const [name, lie, word] of lies) {
    const browser = new Browser();
    const callback = await signIn(browser, 'dave', '?returnTo=/liar');
    await fetch(`${issuerUrl}/test/lie`, { method: 'POST', body: JSON.stringify(lie) });
    const began = Date.now();
    const ended = await browser.send(callback);
    assert.equal(ended.headers.get('location'), `${url}/liar?signInError=${word}`, name);
    assert.ok(Date.now() - began < 8000, name);
    assert.ok(!browser.signedIn(), name);
    assert.equal((await browser.send(callback)).status, 400, `${name}: the attempt is used up`);
  }
  for (const change of [
    next => next.searchParams.set('state', 'of-somebody-else'),
    next => next.searchParams.delete('state'),
  ]) {
    const browser = new Browser();
    const callback = await signIn(browser, 'dave', '?returnTo=/liar');
    change(callback);
    assert.equal((await browser.send(callback)).status, 400);
    assert.ok(!browser.signedIn());
  }
  // Mixed up: the answer is said to come from another issuer, or from nobody although the provider always names itself.
  for (const change of [
    next => next.searchParams.set('iss', 'https://evil.example'),
    next => next.searchParams.delete('iss'),
    next => next.searchParams.set('code', 'of-another-sign-in'),
  ]) {
    const browser = new Browser();
    const callback = await signIn(browser, 'dave', '?returnTo=/liar');
    change(callback);
    const ended = await browser.send(callback);
    assert.equal(ended.headers.get('location'), `${url}/liar?signInError=PROVIDER_INVALID`);
    assert.ok(!browser.signedIn());
  }
  const browser = new Browser();
  const ended = await browser.send(await signIn(browser, 'dave', '?returnTo=/honest'));
  assert.equal(ended.headers.get('location'), `${url}/honest`, 'the truth still works');
  assert.ok(browser.signedIn());
});
