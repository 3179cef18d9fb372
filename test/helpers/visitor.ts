import { expect } from '@jest/globals';
import type { Browser, BrowserContext, Page } from 'playwright-core';

export interface VisitOptions {
  /** signed in with it before the first page; left out = a stranger */
  key?: string;
  dark?: boolean;
  /** a phone's screen */
  narrow?: boolean;
  /** runs in every page before its own script */
  initScript?: string;
}

export const WIDE = { width: 1280, height: 800 };
export const NARROW = { width: 390, height: 844 };
const ACTION_TIMEOUT_MS = 10_000;

/** Tells the test about every breach of the page's policy, also on pages that are left again. */
const WATCH_POLICY = `addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI, sample }) =>
  window.__noteViolation(violatedDirective + ' ' + blockedURI + ' ' + sample));`;

/** Somebody before a screen: a browser context of its own, and what it must never see. */
export interface Visitor {
  page: Page;
  context: BrowserContext;
  /** goes to a path of Castellan and waits for its heading */
  open(path: string, heading?: string | RegExp): Promise<void>;
  heading(name: string | RegExp): Promise<void>;
  button(name: string | RegExp): ReturnType<Page['getByRole']>;
  /** waits until the event stream is there */
  live(): Promise<void>;
  /** nothing of this happened: other hosts, breaches of the policy, exceptions, dialogs of script */
  expectNoHarm(): void;
  close(): Promise<void>;
}

export async function visit(browser: Browser, url: string, options: VisitOptions = {}): Promise<Visitor> {
  const context = await browser.newContext({
    baseURL: url,
    viewport: options.narrow ? NARROW : WIDE,
    colorScheme: options.dark ? 'dark' : 'light',
    reducedMotion: 'reduce',
    locale: 'en-GB',
  });
  context.setDefaultTimeout(ACTION_TIMEOUT_MS);
  const harm = { otherHosts: [], policy: [], exceptions: [], dialogs: [] } as Record<string, string[]>;
  context.on('request', (request) => {
    if (!isOwn(request.url(), url)) harm.otherHosts?.push(request.url());
  });
  await context.exposeBinding('__noteViolation', (_source, text: string) => void harm.policy?.push(text));
  await context.addInitScript(WATCH_POLICY);
  if (options.initScript) await context.addInitScript(options.initScript);
  if (options.key) await signInQuietly(context, url, options.key);

  const page = await context.newPage();
  page.on('pageerror', (error) => void harm.exceptions?.push(error.stack ?? error.message));
  page.on('dialog', (dialog) => {
    harm.dialogs?.push(dialog.message());
    void dialog.dismiss();
  });

  async function heading(name: string | RegExp): Promise<void> {
    await page.getByRole('heading', { level: 1, name }).waitFor();
  }

  return {
    page,
    context,
    heading,
    button: (name) => page.getByRole('button', { name }),
    live: () => page.getByText('Live', { exact: true }).filter({ visible: true }).waitFor(),
    async open(path, name = /./) {
      await page.goto(path);
      await heading(name);
    },
    expectNoHarm() {
      expect(harm).toEqual({ otherHosts: [], policy: [], exceptions: [], dialogs: [] });
    },
    close: () => context.close(),
  };
}

function isOwn(requested: string, url: string): boolean {
  return requested.startsWith(`${url}/`) || requested.startsWith('data:') || requested.startsWith(`blob:${url}/`);
}

/** The cookie without the form: what is tested is behind it. */
async function signInQuietly(context: BrowserContext, url: string, key: string): Promise<void> {
  const answer = await context.request.post(`${url}/dashboard/sign-in`, { data: { key }, headers: { origin: url } });
  if (!answer.ok()) throw new Error(`sign-in was answered ${answer.status()}`);
}
