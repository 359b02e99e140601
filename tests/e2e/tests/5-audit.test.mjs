// The audits of GraphQL over HTTP that the authors of its specification publish: every one has to pass.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { serverAudits } from 'graphql-http';
import { ada, url } from '../support/setting.mjs';

/** Signed in, because that many requests are more than a guest may send. */
const fetchFn = (target, init = {}) =>
  fetch(target, { ...init, headers: { ...init.headers, authorization: `Bearer ${ada.token}` } });

for (const audit of serverAudits({ url: `${url}/graphql`, fetchFn })) {
  test(`${audit.id} ${audit.name}`, async () => {
    const result = await audit.fn();
    assert.equal(result.status, 'ok', result.reason);
  });
}
