import { type Browser, chromium } from 'playwright-core';
import { chromiumEnvironment, findChromium } from '../../scripts/browser/find-chromium.ts';

/** On a fresh machine Chromium is fetched first. */
export const CHROMIUM_TIMEOUT_MS = 420_000;

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  /* nothing of a test may leave this machine */
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
];

/** @throws Error that says how to get a Chromium where there is none: tests of the dashboard are never skipped */
export async function launchChromium(): Promise<Browser> {
  const executablePath = await findChromium();
  return chromium.launch({
    executablePath,
    args: FLAGS,
    env: { ...process.env, ...chromiumEnvironment(executablePath) } as Record<string, string>,
  });
}
