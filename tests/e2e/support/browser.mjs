// A real browser with an empty profile that says nothing to anybody by itself.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

/** Starts it; `close` ends it and takes its profile away. */
export async function launch(viewport) {
  const profile = await mkdtemp(join(tmpdir(), 'meridian-chromium-'));
  const browser = await chromium.launchPersistentContext(profile, {
    executablePath: process.env.MERIDIAN_E2E_CHROMIUM ?? '/usr/bin/chromium',
    headless: true,
    viewport,
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--disable-dev-shm-usage',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
  const close = async () => {
    await browser.close();
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  };
  return { browser, close };
}
