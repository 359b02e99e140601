// Where the server is and who the two people of the seed are. Set by run.mjs.
import { readFileSync } from 'node:fs';

function need(name) {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set; start the tests through run.mjs`);
  return value;
}

export const url = need('MERIDIAN_E2E_URL').replace(/\/$/, '');
export const secondUrl = need('MERIDIAN_E2E_SECOND_URL').replace(/\/$/, '');
export const feedUrl = need('MERIDIAN_E2E_FEED');
export const issuerUrl = need('MERIDIAN_E2E_ISSUER');
/** The listener for operators; only tests in operators/ need it. */
export const adminUrl = (process.env.MERIDIAN_E2E_ADMIN_URL ?? '').replace(/\/$/, '');
export const schemaPath = need('MERIDIAN_E2E_SCHEMA');

/** Two people who share no workspace: `{email, token, workspaceId, calendarId, eventId, taskId}`. */
export const [ada, bob] = JSON.parse(readFileSync(need('MERIDIAN_E2E_SEED'), 'utf8')).people;
