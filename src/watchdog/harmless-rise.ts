/** Why a number may rise although nothing leaks: a bound, a cache that has just begun, more traffic, objects that live long. */
import type { Count, Scale } from './count-series.js';
import type { Population } from './populations.js';
import { changeOf, isMoreTraffic, riseOf } from './trend.js';

/** How much longer than an entry lives the counts have to reach back. */
const LIFETIMES = 2;

/** How long a cache is not judged that is going to have many entries before the first expires, in milliseconds. */
const FIRST_WAIT_MILLIS = 1_200_000;

/** From this number on, entries are many although they expire. */
const MANY_ENTRIES = 50_000;

/** How long a slow rise is waited for, in milliseconds. */
const PATIENCE_MILLIS = 2_160_000;

/** A rise by fewer objects in that time is slow. */
const FEW = 240;

/** A rise by fewer weakly held objects is slow: many of them may live long. */
const FEW_WEAK = 1_200;

/** How many objects a slow rise has to reach, as a multiple of those that a fast one has to. */
const SLOW_LEAST = 1.2;

/** How many of the latest counts are needed to see the traffic. */
const MIN_RECENT = 4;

/** The kinds whose number a component bounds by its figure `max`. */
const ENTRIES: ReadonlySet<string> = new Set(['entry', 'weak-entry', 'weak-target']);

/** Whether the members are entries of caches, each of which has a `max`. */
export function isBounded({ kind, owners }: Population): boolean {
  if (!ENTRIES.has(kind) || owners.size === 0) return false;
  for (const { isBounded } of owners) if (!isBounded) return false;
  return true;
}

/** Whether births may exceed deaths because no entry is old enough to die, and there will not be many until then. */
export function isWarmingUp({ kind, owners }: Population, counted: readonly Count[]): boolean {
  if (!ENTRIES.has(kind)) return false;
  let longestMillis = 0;
  for (const { entryMillis } of owners) longestMillis = Math.max(longestMillis, entryMillis);
  if (longestMillis === Number.POSITIVE_INFINITY) return false;
  const { millis, rise } = changeOf(counted);
  if (millis >= LIFETIMES * longestMillis) return false;
  return millis < FIRST_WAIT_MILLIS || (rise / millis) * longestMillis < MANY_ENTRIES;
}

/**
 * Whether more traffic is the cause, over all counts and over the latest ones: a leak goes on when the traffic rises no more. What lives
 * for long follows the traffic slowly, so of such objects all counts decide. So they do if V8 collects too seldom for some latest ones.
 */
export function followsTraffic(
  { ageMillis }: Population,
  counted: readonly Count[],
  recent: readonly Count[],
): boolean {
  if (ageMillis > 0 || recent.length < MIN_RECENT) return isMoreTraffic(counted);
  return isMoreTraffic(counted) && isMoreTraffic(recent);
}

/**
 * Whether the rise is too short to tell a leak from a batch, from objects that live long, or from a service that is being set up. Few
 * objects do no harm soon, so they have more time to come to rest.
 */
export function isTooEarly(
  scale: Scale,
  { kind, live, isWeak, ageMillis }: Population,
  counted: readonly Count[],
  { windows, minObjects }: { readonly windows: number; readonly minObjects: number },
): boolean {
  const { millis, perMilli } = riseOf(counted);
  const lasted = millis + ageMillis;
  if (lasted < scale.patienceMillis || lasted < (windows - 1) * scale.everyMillis) return true;
  const few = isWeak && ENTRIES.has(kind) ? FEW_WEAK : FEW;
  if (perMilli * PATIENCE_MILLIS >= few) return false;
  return lasted < PATIENCE_MILLIS || live < SLOW_LEAST * minObjects;
}
