import type { Browser } from 'playwright-core';
import type { Config } from '../../lib/config.ts';
import type { Connection } from '../../lib/contracts/entities.ts';
import type { RuntimeOptions } from '../../lib/create-runtime.ts';
import { type ApiClient, createApiClient } from '../../scripts/harness/api-client.ts';
import type { Phone } from '../../simulator/devices/phone.ts';
import { type Simulator, startSimulator } from '../../simulator/index.ts';
import { builtDashboard } from './built-dashboard.ts';
import { startTestCastellan, type TestCastellan } from './castellan.ts';
import { launchChromium } from './chromium.ts';
import { type VisitOptions, type Visitor, visit } from './visitor.ts';

export interface PairedConnection extends Connection {
  phone: Phone;
}

/** A browser, Castellan with its built dashboard, and a simulated WhatsApp; everything stops with `end`. */
export interface DashboardWorld {
  browser: Browser;
  castellan: TestCastellan;
  simulator: Simulator;
  url: string;
  adminKey: string;
  api: ApiClient;
  /** a window; the admin's unless `key` says otherwise, `key: ''` = nobody's. It is closed with the world */
  visit(options?: VisitOptions): Promise<Visitor>;
  /** a user "shop" is there from the start; its id */
  userId: string;
  /** a connection of "shop" that a simulated phone has linked */
  paired(name: string, pn: string): Promise<PairedConnection>;
  end(): Promise<void>;
}

export async function startDashboardWorld(
  settings: Partial<Config> = {},
  options: RuntimeOptions = {},
): Promise<DashboardWorld> {
  const [browser, dashboardDir, simulator] = await Promise.all([
    launchChromium(),
    builtDashboard(),
    startSimulator({ seed: 'dashboard' }),
  ]);
  const castellan = await startTestCastellan(
    {
      dashboardDir,
      rateLimitPerSecond: 0,
      allowPrivateTargets: true,
      nodeId: 'node-1',
      whatsapp: {
        websocketUrl: simulator.url,
        rootPublicKey: Buffer.from(simulator.rootPublicKey, 'hex'),
        mediaHosts: [],
      },
      ...settings,
    },
    options,
  );
  const { url } = castellan;
  const adminKey = castellan.runtime.admin.key;
  const api = createApiClient(url, adminKey);
  const userId = 'shop';
  await api.ask('POST', '/user/create', { username: 'shop', email: 'shop@example.org', userId });

  return {
    browser,
    castellan,
    simulator,
    url,
    adminKey,
    api,
    userId,
    visit: ({ key = adminKey, ...rest } = {}) => visit(browser, url, { ...(key && { key }), ...rest }),
    async paired(name, pn) {
      const phone = simulator.devices.createPhone({ pn, name });
      const { connectionId } = await api.ask<Connection>('POST', '/connection/create', { userId, name });
      await phone.scanQr(await api.untilQr(connectionId));
      return { ...(await api.untilStatus(connectionId, 'open')), phone };
    },
    async end() {
      await browser.close();
      await castellan.end();
      await simulator.close();
    },
  };
}
