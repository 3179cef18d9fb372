import { gapsOf, spreadOf } from '../../../scripts/e2e/figures.ts';

const device = { pn: '1555', device: 3 };

test('a gap runs from the end of a socket to the next login of the same device', () => {
  const other = { pn: '1666', device: 1 };
  const sockets = [
    { device, loginAt: 0, closedAt: 100 },
    { device: other, loginAt: 0 },
    { closedAt: 120 },
    { device, loginAt: 350 },
  ];
  expect(gapsOf(sockets)).toEqual([{ pn: '1555', closedAt: 100, ms: 250 }]);
});

test('a login before the end of the older socket is no gap but an overlap, which others count', () => {
  expect(
    gapsOf([
      { device, loginAt: 0, closedAt: 100 },
      { device, loginAt: 90 },
    ]),
  ).toEqual([{ pn: '1555', closedAt: 100, ms: 0 }]);
});

test('below a hundred values the 99th percentile is the worst', () => {
  expect(spreadOf([5, 1, 9])).toEqual({ count: 3, p50: 5, p99: 9, max: 9 });
  expect(spreadOf([])).toEqual({ count: 0, p50: 0, p99: 0, max: 0 });
});
