import { beforeAll, describe, expect, it } from '@jest/globals';
import { type RestartReport, runRestartScenario } from '../../scripts/chaos/restart.ts';

/* The long version: npm run chaos -- --scenario restart --rounds 100 */
describe('kill -9 of the whole process at random moments under traffic both ways', () => {
  let report: RestartReport;

  beforeAll(async () => {
    report = await runRestartScenario({ rounds: 4, connections: 3, seed: 'short version', log: () => {} });
  }, 180_000);

  it('carries traffic both ways', () => {
    expect(report.accepted).toBeGreaterThan(20);
    expect(report.replied).toBeGreaterThan(20);
  });

  it('reopens every session without a new QR code', () => {
    expect(report.newRegistrations).toBe(0);
  });

  it('breaks no ratchet', () => {
    expect(report.decryptFailures).toBe(0);
  });

  it('loses no accepted send, shows none twice and keeps their order', () => {
    expect(report).toMatchObject({ lostSends: 0, shownTwice: 0, inversions: 0 });
  });

  it('stores no inbound message twice and loses none', () => {
    expect(report).toMatchObject({ lostInbound: 0, doubledInbound: 0 });
  });

  it('never has two sockets of one device', () => {
    expect(report.overlappingSockets).toBe(0);
  });
});
