/** Reads trace files of every format. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, expect, test } from 'vitest';
import { readTrace, type TraceOptions } from '../../bench/hit-ratio/traces.js';

const directory = await mkdtemp(join(tmpdir(), 'traces-'));
afterAll(() => rm(directory, { recursive: true }));

async function read(
  name: string,
  content: string | Buffer,
  options?: TraceOptions,
): Promise<unknown[]> {
  const path = join(directory, name);
  await writeFile(path, content);
  return readTrace(path, options);
}

test('one key a line, numbers and others; LIRS marks are no requests', async () => {
  expect(await read('a.trace', '7\n*\n\nuser:1\n007\n7\n')).toEqual([7, 'user:1', '007', 7]);
  expect(await read('a.trace.gz', gzipSync('1\r\n2\r\n'))).toEqual([1, 2]);
});

test('ARC: consecutive blocks', async () => {
  expect(await read('P1.lis', '100 3 0 0\n5 1 0 1\n')).toEqual([100, 101, 102, 5]);
  await expect(read('bad.lis', 'abc def\n')).rejects.toThrow(/start count/);
});

test('CSV: a column by place or by name', async () => {
  const csv = 'time,key,size\n1,"a",10\n2,b,20\n';
  expect(await read('t.csv', csv, { column: 'key' })).toEqual(['a', 'b']);
  expect(await read('u.csv', '1,9\n2,8\n', { column: 1 })).toEqual([9, 8]);
  await expect(read('v.csv', csv, { column: 'id' })).rejects.toThrow(/No column 'id'/);
});

test("libCacheSim's oracleGeneral: 24 bytes a record, keys exact beyond 2^53", async () => {
  const keys = [1n, 2n ** 53n + 1n, 2n ** 64n - 1n];
  const records = keys.map((key, at) => {
    const record = Buffer.alloc(24);
    record.writeUInt32LE(at, 0);
    record.writeBigUInt64LE(key, 4);
    record.writeUInt32LE(512, 12);
    record.writeBigInt64LE(-1n, 16);
    return record;
  });
  const all = Buffer.concat(records);
  expect(await read('w.oracleGeneral.bin', all)).toEqual([
    1,
    '9007199254740993',
    '18446744073709551615',
  ]);
  expect(await read('w.oracleGeneral', all, { limit: 1 })).toEqual([1]);
  await expect(read('x.oracleGeneral', all.subarray(1))).rejects.toThrow(/23 bytes too many/);
});

test('bare big-endian numbers', async () => {
  const four = Buffer.from([0, 0, 0, 1, 255, 255, 255, 255]);
  expect(await read('a.bin', four, { format: 'int32be' })).toEqual([1, -1]);
  expect(await read('b.bin', four, { format: 'int64be' })).toEqual([2 ** 32 + 2 ** 32 - 1]);
});

test('a file that cannot be read is an error that says why', async () => {
  await expect(readTrace(join(directory, 'none.gz'))).rejects.toThrow(/ENOENT/);
  await expect(read('a.zst', 'x')).rejects.toThrow(/unpack it first/);
  await expect(read('empty', '')).rejects.toThrow(/no request/);
});
