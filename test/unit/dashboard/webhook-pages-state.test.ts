import { describe, expect, it } from '@jest/globals';
import {
  adviceForAttempt,
  mergeDeliveries,
  nextLookAt,
  wordsFor,
} from '../../../dashboard/pages/webhook/delivery-state.ts';
import { bodyOf, EMPTY_FORM, problemsOf } from '../../../dashboard/pages/webhooks/webhook-form-state.ts';
import { delivery } from './samples.ts';

const NOW = Date.parse('2026-08-20T10:00:00.000Z');
const inSeconds = (s: number) => new Date(NOW + s * 1_000).toISOString();
const attempt = (statusCode: number | null, error: string | null = null) => ({
  at: inSeconds(0),
  statusCode,
  durationMs: 12,
  error,
});

describe('deliveries', () => {
  it('say what became of them', () => {
    expect(wordsFor(delivery('dlv_1', { status: 'succeeded' })).label).toBe('Delivered');
    expect(wordsFor(delivery('dlv_1', { status: 'failed', attempts: [attempt(500)] })).label).toBe('Failed');
    expect(wordsFor(delivery('dlv_1', { status: 'failed' })).label).toBe('Given up');
    expect(wordsFor(delivery('dlv_1')).label).toBe('Being delivered');
    expect(wordsFor(delivery('dlv_1', { nextAttemptAt: inSeconds(5) })).label).toBe('Waiting');
    const again = delivery('dlv_1', { nextAttemptAt: inSeconds(5), attempts: [attempt(500)] });
    expect(wordsFor(again).label).toBe('Will be tried again');
  });

  it('are looked at again when the next one is due, and never when all have ended', () => {
    expect(nextLookAt([delivery('dlv_1', { status: 'succeeded' })], NOW)).toBeNull();
    const later = delivery('dlv_1', { nextAttemptAt: inSeconds(30) });
    expect(nextLookAt([later], NOW)).toBe(NOW + 30_400);
    expect(nextLookAt([later, delivery('dlv_2')], NOW)).toBe(NOW + 1_000);
    expect(nextLookAt([delivery('dlv_1', { nextAttemptAt: inSeconds(-60) })], NOW)).toBe(NOW + 1_000);
  });

  it('keep the pages that were loaded when the first one is read again', () => {
    const known = [delivery('dlv_3'), delivery('dlv_2'), delivery('dlv_1')];
    const fresh = [delivery('dlv_4'), delivery('dlv_3', { status: 'succeeded' })];
    const merged = mergeDeliveries(known, fresh);
    expect(merged.map(({ deliveryId, status }) => [deliveryId, status])).toEqual([
      ['dlv_4', 'pending'],
      ['dlv_3', 'succeeded'],
      ['dlv_2', 'pending'],
      ['dlv_1', 'pending'],
    ]);
    expect(mergeDeliveries(known, [])).toEqual([]);
  });

  it('say what to do about a failed attempt', () => {
    expect(adviceForAttempt(attempt(204))).toBeNull();
    expect(adviceForAttempt(attempt(302))).toContain('redirects');
    expect(adviceForAttempt(attempt(401))).toContain('secret');
    expect(adviceForAttempt(attempt(503))).toContain('log');
    expect(adviceForAttempt(attempt(null, 'The request failed: ECONNREFUSED.'))).toContain('Nothing listens');
    expect(adviceForAttempt(attempt(null, 'The receiver did not answer within 15000 ms.'))).toContain('first');
    expect(adviceForAttempt(attempt(null, 'Something else.'))).toBeNull();
  });
});

describe('the form for a webhook', () => {
  const form = { ...EMPTY_FORM, url: ' https://example.org/hook ' };

  it('makes the body of the request', () => {
    expect(bodyOf(form)).toEqual({ url: 'https://example.org/hook', eventTypes: ['*'] });
    const full = {
      ...form,
      everything: false,
      eventTypes: ['message.received'],
      connectionId: 'con_1',
      enabled: false,
      headers: 'X-Token: a: b\n\n  X-Other:c',
    };
    expect(problemsOf(full)).toEqual({});
    expect(bodyOf(full)).toEqual({
      url: 'https://example.org/hook',
      eventTypes: ['message.received'],
      connectionId: 'con_1',
      enabled: false,
      headers: { 'X-Token': 'a: b', 'X-Other': 'c' },
    });
  });

  it('says what is wrong before the API is asked', () => {
    expect(Object.keys(problemsOf({ ...form, url: 'example.org' }))).toEqual(['url']);
    expect(Object.keys(problemsOf({ ...form, url: 'javascript:alert(1)' }))).toEqual(['url']);
    expect(Object.keys(problemsOf({ ...form, everything: false }))).toEqual(['eventTypes']);
    expect(Object.keys(problemsOf({ ...form, headers: 'no colon' }))).toEqual(['headers']);
  });
});
