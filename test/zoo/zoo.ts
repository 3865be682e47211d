/** Runs the programs of the zoo, each with a watchdog of its own, and compares what it says with what they do. */
import { startLocalPostgres } from '../../examples/service/local-postgres.js';
import { type LeakReport, Watchdog, type WatchLevel } from '../../src/watchdog/index.js';
import { READINGS, type Readings } from '../../src/watchdog/readings.js';
import { FakeClock } from '../kit/fake-clock.js';
import type { LeakLines } from './leak-lines.js';
import { type Program, Zoo } from './program.js';
import { adopted } from './programs/adopted.js';
import { bursts } from './programs/bursts.js';
import { endings } from './programs/endings.js';
import { flows } from './programs/flows.js';
import { growing } from './programs/growth.js';
import { handedOver } from './programs/hand-over.js';
import { slowOrLost } from './programs/holders.js';
import { mixed } from './programs/mixed.js';
import { oneLeak } from './programs/one-leak.js';
import { owners } from './programs/owners.js';
import { services } from './programs/services.js';
import { waves } from './programs/waves.js';
import { weaklyHeld } from './programs/weak-growth.js';

export const PROGRAMS: readonly Program[] = [
  ...owners,
  ...growing,
  ...weaklyHeld,
  ...waves,
  ...slowOrLost,
  ...handedOver,
  ...adopted,
  ...mixed,
  ...oneLeak,
  ...services,
  ...flows,
  ...endings,
  ...bursts,
];

/** How a program went. */
export interface Outcome {
  readonly program: Program;
  /** `found` or `quiet` is right; the others say what is wrong. */
  readonly verdict:
    | 'found'
    | 'quiet'
    | 'missed'
    | 'misnamed'
    | 'told twice'
    | 'false alarm'
    | 'noise'
    | 'failed';
  readonly reports: readonly LeakReport[];
  readonly note: string;
}

/** Starts what programs need, and runs them. */
export class ZooRunner implements AsyncDisposable {
  readonly #lines: LeakLines;
  #postgres: Promise<{ readonly url: string } & AsyncDisposable> | undefined;

  constructor(lines: LeakLines) {
    this.#lines = lines;
  }

  /** Runs a program. `readings` replaces counters that the rules read. */
  async run(
    program: Program,
    level: WatchLevel = 'advanced',
    readings: Readings = READINGS,
  ): Promise<Outcome> {
    const clock = new FakeClock();
    using watchdog = new Watchdog({ level, clock }, readings);
    const told: LeakReport[] = [];
    watchdog.on('leak', (report) => told.push(report));
    let retracted = 0;
    watchdog.on('retracted', () => retracted++);
    const zoo = new Zoo(watchdog, clock, program.needsPostgres ? await this.startPostgres() : '');
    try {
      const kept = await program.run(zoo);
      const reports = await watchdog.check({ forceGc: true });
      holdUntilHere(kept, zoo);
      return this.#judge(program, level, [...zoo.tooEarly, ...reports], retracted);
    } catch (error) {
      return { program, verdict: 'failed', reports: told, note: String(error) };
    }
  }

  /** Starts the Postgres that some programs need, unless it runs. */
  async startPostgres(): Promise<string> {
    this.#postgres ??= startLocalPostgres();
    return (await this.#postgres).url;
  }

  #judge(
    program: Program,
    level: WatchLevel,
    reports: readonly LeakReport[],
    retracted: number,
  ): Outcome {
    const note = reports.map((report) => describe(report)).join(', ');
    const outcome = (verdict: Outcome['verdict']): Outcome => ({ program, verdict, reports, note });
    if (program.finds === undefined) {
      if (reports.length > 0) return outcome('false alarm');
      return outcome(retracted > 0 ? 'noise' : 'quiet');
    }
    const lines = this.#lines.get(program.name) ?? [];
    const { rules, count, isFoundWithoutLine, mostLeaks = lines.length } = program.finds;
    const isSample = level === 'sampled' && isFoundWithoutLine !== true;
    const needsLine =
      lines.length > 0 && (isSample || level === 'advanced' || level === 'paranoid');
    const right = reports.filter(
      ({ rule, site }) => rules.includes(rule) && (!needsLine || lines.includes(site?.line ?? 0)),
    );
    if (right.length === 0) return outcome(reports.length > 0 ? 'misnamed' : 'missed');
    if (right.length < reports.length) return outcome('false alarm');
    const told = new Set(right.map(({ signature }) => signature)).size;
    if (told > Math.max(1, mostLeaks)) return outcome('told twice');
    const lost = right.reduce((sum, report) => sum + report.count, 0);
    const isRight = isSample ? isSampleOf(lost, count) : lost === (count ?? lost);
    return outcome(isRight ? 'found' : 'misnamed');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await (await this.#postgres)?.[Symbol.asyncDispose]();
  }
}

/** Whether a level that tracks one loan in many may count `lost` of the `count` loans that are lost. */
function isSampleOf(lost: number, count = lost): boolean {
  return lost > 0 && lost <= count;
}

/** The program holds what it has returned, and its components, until here. */
function holdUntilHere(...held: unknown[]): void {
  held.length = 0;
}

function describe({ rule, certainty, count, site }: LeakReport): string {
  const line = site === undefined ? '' : ` at ${site.file.split('/').at(-1)}:${site.line}`;
  return `${rule}/${certainty} ×${count}${line}`;
}
