/** Reads requests from trace files, in the formats of published caching traces. Unpacks `.gz`. */
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';

/**
 * - `lines`: one key a line, as in LIRS traces. Empty lines and `*` are no requests.
 * - `arc`: `start count …` a line, as in the ARC traces (`.lis`): that many consecutive blocks.
 * - `csv`: one column is the key.
 * - `oracle`: libCacheSim's oracleGeneral: records of 24 bytes, little-endian u32 time, u64 key, u32 size, i64 next.
 * - `int32be`, `int64be`: bare big-endian numbers.
 */
export const TRACE_FORMATS = ['lines', 'arc', 'csv', 'oracle', 'int32be', 'int64be'] as const;
export type TraceFormat = (typeof TRACE_FORMATS)[number];

/** How to read a trace. */
export interface TraceOptions {
  /** @default what the file's name suggests, or 'lines' */
  readonly format?: TraceFormat;
  /** Column of the key in a CSV file: its place from 0, or its name in the first line. @default 0 */
  readonly column?: number | string;
  /** Most requests to read. @default Infinity */
  readonly limit?: number;
}

type Request = number | string;

const RECORD_BYTES = { oracle: 24, int32be: 4, int64be: 8 } as const;

/** The format that a file's name suggests. */
export function formatOf(path: string): TraceFormat {
  const name = path.toLowerCase().replace(/\.gz$/, '');
  if (name.endsWith('.lis')) return 'arc';
  if (name.endsWith('.csv')) return 'csv';
  if (/oraclegeneral(\.bin)?$/.test(name)) return 'oracle';
  return 'lines';
}

/** Reads the requested keys in order. Throws if the file does not have the format. */
export async function readTrace(path: string, options: TraceOptions = {}): Promise<Request[]> {
  if (/\.(zst|xz|bz2)$/.test(path))
    throw new Error(`${path}: unpack it first; only .gz is unpacked here.`);
  const { format = formatOf(path), column = 0, limit = Number.POSITIVE_INFINITY } = options;
  const requests: Request[] = [];
  const file = createReadStream(path);
  const bytes = path.endsWith('.gz') ? file.pipe(createGunzip()) : file;
  if (bytes !== file) file.once('error', (error) => bytes.destroy(error));
  const parsed =
    format === 'oracle' || format === 'int32be' || format === 'int64be'
      ? records(bytes, format)
      : lines(bytes, format, column);
  for await (const request of parsed) {
    if (requests.length >= limit) break;
    requests.push(request);
  }
  file.destroy();
  if (requests.length === 0) throw new Error(`${path}: no request in it, read as '${format}'.`);
  return requests;
}

async function* lines(
  bytes: Readable,
  format: TraceFormat,
  column: number | string,
): AsyncGenerator<Request> {
  let place = typeof column === 'number' ? column : -1;
  for await (const line of createInterface({ input: bytes, crlfDelay: Number.POSITIVE_INFINITY })) {
    const text = line.trim();
    if (text === '' || text === '*' || text.startsWith('#')) continue;
    if (format === 'lines') yield keyOf(text);
    else if (format === 'arc') yield* blocks(text);
    else {
      const cells = text.split(',').map((cell) => cell.trim().replace(/^"(.*)"$/, '$1'));
      if (place < 0) {
        place = cells.indexOf(String(column));
        if (place < 0) throw new Error(`No column '${column}' among ${cells.join(', ')}.`);
        continue;
      }
      const cell = cells[place];
      if (cell === undefined) throw new Error(`No column ${place} in the line '${text}'.`);
      yield keyOf(cell);
    }
  }
}

function* blocks(text: string): Generator<number> {
  const [start, count] = text.split(/\s+/).map(Number);
  if (!Number.isSafeInteger(start) || !Number.isSafeInteger(count)) {
    throw new Error(`Not 'start count …': '${text}'.`);
  }
  for (let block = 0; block < Number(count); block++) yield Number(start) + block;
}

async function* records(
  bytes: Readable,
  format: keyof typeof RECORD_BYTES,
): AsyncGenerator<Request> {
  const size = RECORD_BYTES[format];
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of bytes as AsyncIterable<Buffer>) {
    const all = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let at = 0;
    for (; at + size <= all.length; at += size) {
      if (format === 'int32be') yield all.readInt32BE(at);
      else yield exact(format === 'oracle' ? all.readBigUInt64LE(at + 4) : all.readBigInt64BE(at));
    }
    rest = all.subarray(at);
  }
  if (rest.length > 0) throw new Error(`${rest.length} bytes too many for records of ${size}.`);
}

/** The key as a number if a number holds it exactly, because a cache of numbers is faster. Otherwise its digits. */
function keyOf(text: string): Request {
  const number = Number(text);
  return Number.isSafeInteger(number) && String(number) === text ? number : text;
}

function exact(number: bigint): Request {
  const near = Number(number);
  return Number.isSafeInteger(near) ? near : String(number);
}
