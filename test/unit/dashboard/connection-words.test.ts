import { CONNECTION_STATUSES as SHOWN_STATUSES, statusWords } from '../../../dashboard/components/status-words.ts';
import { waitsForPhone } from '../../../dashboard/pages/connection/waits-for-phone.ts';
import { createBody, EMPTY_DRAFT } from '../../../dashboard/pages/connection-new/connection-draft.ts';
import { ATTENTION, filterConnections } from '../../../dashboard/pages/connections/connection-search.ts';
import { firstSteps } from '../../../dashboard/pages/first-run/first-steps.ts';
import { matchPath } from '../../../dashboard/routing/match-path.ts';
import { CONNECTION_STATUSES, type Connection } from '../../../lib/contracts/entities.ts';

function connection(change: Partial<Connection> = {}): Connection {
  return {
    connectionId: 'con_01AAAA9',
    userId: 'usr_01BBBB9',
    name: 'Corner Shop',
    status: 'open',
    statusReason: null,
    desiredState: 'running',
    restrictions: [],
    degraded: false,
    me: { id: '1@lid', lid: '1@lid', pn: '15551234567@s.whatsapp.net', name: 'Ada' },
    worker: null,
    deviceInfo: null,
    metadata: null,
    createdAt: '2026-01-01T00:00:00.000Z',
    updatedAt: '2026-01-01T00:00:00.000Z',
    ...change,
  };
}

describe('a status in human words', () => {
  it('knows every status of the API, each with a meaning', () => {
    expect([...SHOWN_STATUSES].sort()).toEqual([...CONNECTION_STATUSES].sort());
    for (const status of CONNECTION_STATUSES) expect(statusWords(status).meaning).toMatch(/\.$/);
  });

  it('says what to do for each that does not come back by itself', () => {
    for (const status of CONNECTION_STATUSES) {
      const { tone, busy, advice } = statusWords(status);
      if ((tone === 'bad' || tone === 'warn') && !busy) expect(advice).not.toBeNull();
    }
  });

  it('bears a status that it does not know, also one that every object has', () => {
    expect(statusWords('brand_new').label).toBe('brand new');
    expect(statusWords('constructor').label).toBe('constructor');
  });
});

describe('the search of connections', () => {
  const shop = connection();
  const found = (text: string, status = '') => filterConnections([shop], text, status).length === 1;

  it('finds by words of the name, the account and the number, with or without plus', () => {
    expect(found('SHOP corner')).toBe(true);
    expect(found('ada')).toBe(true);
    expect(found('+1555')).toBe(true);
    expect(found('corner ben')).toBe(false);
  });

  it('finds by the beginning of an id, not by digits somewhere in it', () => {
    expect(found('con_01aa')).toBe(true);
    expect(found('usr_01BB')).toBe(true);
    expect(found('aaaa9')).toBe(false);
  });

  it('knows which need attention: those that do not come back by themselves', () => {
    const rows = CONNECTION_STATUSES.map((status) => connection({ status }));
    const needing = filterConnections(rows, '', ATTENTION).map(({ status }) => status);
    expect(needing).toEqual(expect.arrayContaining(['logged_out', 'banned', 'conflict', 'qr_expired', 'quarantined']));
    expect(needing).not.toEqual(expect.arrayContaining(['open']));
    for (const status of ['open', 'reconnecting', 'restricted', 'stopped', 'connecting', 'awaiting_pairing']) {
      expect(needing).not.toContain(status);
    }
    expect(filterConnections([connection({ degraded: true })], '', ATTENTION)).toHaveLength(1);
  });
});

describe('the pairing', () => {
  it('is the next step only while it runs and has no login', () => {
    expect(waitsForPhone(connection({ status: 'connecting', me: null }))).toBe(true);
    expect(waitsForPhone(connection({ status: 'connecting' }))).toBe(false);
    expect(waitsForPhone(connection({ status: 'awaiting_pairing' }))).toBe(true);
    expect(waitsForPhone(connection({ status: 'qr_expired', me: null }))).toBe(true);
    expect(waitsForPhone(connection({ status: 'qr_expired', me: null, desiredState: 'stopped' }))).toBe(false);
    expect(waitsForPhone(connection({ status: 'banned', me: null }))).toBe(false);
  });

  it('is asked for as the API wants it', () => {
    expect(createBody({ ...EMPTY_DRAFT, name: '  ' }, undefined)).toEqual({ pairing: { method: 'qr' } });
    const byCode = { ...EMPTY_DRAFT, name: ' Shop ', method: 'code' as const, phoneNumber: '+1 (555) 123-4567' };
    expect(createBody(byCode, 'usr_1')).toEqual({
      userId: 'usr_1',
      name: 'Shop',
      pairing: { method: 'code', phoneNumber: '+15551234567' },
    });
  });
});

describe('the first steps', () => {
  const nothing = { created: false, paired: false, sent: false, received: false, webhook: false };

  it('lead an admin over a user, and nobody to a page that cannot work yet', () => {
    const [create, pair, send] = firstSteps(nothing, null, true);
    expect(create?.curl.map(({ path }) => path)).toEqual(['/user/create', '/connection/create']);
    expect(pair?.action).toBeNull();
    expect(send?.action).toBeNull();
    expect(firstSteps(nothing, null, false)[0]?.curl).toHaveLength(1);
  });

  it('go on with the connection that is there', () => {
    const steps = firstSteps({ ...nothing, created: true, paired: true }, 'con_1', false);
    expect(steps.map(({ done }) => done)).toEqual([true, true, false, false, false]);
    expect(steps[2]?.action?.href).toContain('con_1');
    expect(steps[2]?.curl[0]?.body).toMatchObject({ connectionId: 'con_1' });
  });
});

describe('the address of a page', () => {
  it('matches part by part and decodes', () => {
    expect(matchPath('/connections/:connectionId', '/connections/con_1')).toEqual({ connectionId: 'con_1' });
    expect(matchPath('/users/:userId', '/users/a%20b')).toEqual({ userId: 'a b' });
    expect(matchPath('/users/:userId', '/users/%zz')).toEqual({ userId: '%zz' });
    expect(matchPath('/users/:userId', '/users/')).toBeNull();
    expect(matchPath('/users/:userId', '/users/a/b')).toBeNull();
    expect(matchPath('/users', '/webhooks')).toBeNull();
  });
});
