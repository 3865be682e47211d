/** The examples of profiles: the line of a leak, and a census before and after its repair. */
import { expect, test } from 'vitest';
import { leftBehind } from '../../examples/profile/before-and-after.js';
import { profileOrders } from '../../examples/profile/which-line.js';

test('the profile names the step that keeps each order, and no other', {
  timeout: 60_000,
}, async () => {
  const report = await profileOrders();
  expect(
    report.leaks.map(({ label }) => label),
    `${report}`,
  ).toEqual(['logged']);
  expect(report.leaks[0]?.site).toContain('examples/profile/which-line.ts:');
});

test('the census shows requests that listeners keep, and none after the repair', () => {
  const { grown, now } = leftBehind(false);
  expect(grown.rows.map(({ label, count }) => [label, count])).toEqual([
    ['request', 100],
    ['listener', 100],
    ['entry', 10],
  ]);
  const [request] = grown.row('request').handles();
  expect(String(now.paths(request as number)[0])).toBe('bus -> listener -> request');
  expect(now.row('listener').retained()).toEqual({ nodes: 240, bytes: 120 * 2_056 });
  expect(leftBehind(true).grown.rows.map(({ label, count }) => [label, count])).toEqual([
    ['entry', 10],
  ]);
});
