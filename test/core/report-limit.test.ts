/** How many reports of errors come through. */
import { expect, test } from 'vitest';
import { ReportLimit } from '../../src/core/report-limit.js';
import { FakeClock } from '../kit/fake-clock.js';

function limited() {
  const clock = new FakeClock();
  const limit = new ReportLimit(clock);
  const reports: string[] = [];
  const fail = (where: string, error: unknown = new Error('down')): void =>
    limit.pass(where, error, (place) => reports.push(place));
  return { clock, reports, fail };
}

test('one kind of error is reported once in ten seconds, then with the number of the others', () => {
  const { clock, reports, fail } = limited();
  for (let i = 0; i < 5; i++) fail('a load');
  clock.jump(9_999);
  fail('a load');
  expect(reports).toEqual(['a load']);
  clock.jump(1);
  fail('a load');
  expect(reports).toEqual(['a load', 'a load, and 5 like it']);
});

test('errors of another place, name, code or first word are of another kind', () => {
  const { reports, fail } = limited();
  fail('a load', new Error('ECONNREFUSED 1'));
  fail('a load', new Error('ECONNREFUSED 2'));
  fail('a disposal', new Error('ECONNREFUSED 3'));
  fail('a load', new TypeError('ECONNREFUSED 4'));
  fail('a load', new Error('READONLY 5'));
  fail('a load', Object.assign(new Error('READONLY 6'), { code: 'E6' }));
  fail('a load', 'a text');
  fail('a load', 'another text');
  expect(reports).toHaveLength(6);
});

test('a bounded number of kinds is told apart', () => {
  const { clock, reports, fail } = limited();
  for (let i = 0; i < 1_000; i++) fail(`place ${i}`);
  expect(reports).toHaveLength(51);
  expect(reports.at(-1)).toBe('place 50');
  clock.jump(5_000);
  fail('place 50');
  clock.jump(5_000);
  for (let i = 1_000; i < 1_051; i++) fail(`place ${i}`);
  expect(reports.at(-1)).toBe('place 1050, and 950 others');
  clock.jump(10_000);
  fail('place 2000');
  expect(reports.at(-1)).toBe('place 2000');
});
