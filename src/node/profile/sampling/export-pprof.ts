/**
 * Profiles in the format of pprof: Protocol Buffers, gzipped. Read by `go tool pprof`, Pyroscope, Grafana and speedscope.
 * Source: https://github.com/google/pprof/blob/main/proto/profile.proto.
 */
import { gzipSync } from 'node:zlib';
import { type CallNode, functionKey, type ProfiledFunction, visitCalls } from './call-tree.js';
import { Numbering } from './numbering.js';
import { ProtobufWriter } from './protobuf-writer.js';

/** Field numbers of the messages of `profile.proto`. */
const PROFILE = {
  sampleType: 1,
  sample: 2,
  location: 4,
  function: 5,
  stringTable: 6,
  timeNanos: 9,
  periodType: 11,
  period: 12,
  comment: 13,
  defaultSampleType: 14,
};
const VALUE_TYPE = { type: 1, unit: 2 };
const SAMPLE = { locationId: 1, value: 2 };
const LOCATION = { id: 1, line: 4 };
const LINE = { functionId: 1, line: 2 };
const FUNCTION = { id: 1, name: 2, systemName: 3, filename: 4, startLine: 5 };

/** What a profile in the format of pprof says about itself. */
export interface PprofHeader {
  readonly intervalBytes: number;
  readonly takenAt: number;
  /** Source and relative error of its figures. */
  readonly comment: string;
}

/** Gives a profile with two values for each stack: samples, and estimated bytes. */
export function exportPprof(root: CallNode, header: PprofHeader): Uint8Array {
  const strings = new Numbering<string>();
  const text = (string: string): number => strings.numberOf(string, string);
  text(''); // The first string is the empty one.
  const functions = new Numbering<ProfiledFunction>();
  const profile = new ProtobufWriter();
  const valueType = (field: number, type: string, unit: string): void =>
    profile.message(field, (message) => {
      message.integer(VALUE_TYPE.type, text(type));
      message.integer(VALUE_TYPE.unit, text(unit));
    });
  valueType(PROFILE.sampleType, 'samples', 'count');
  valueType(PROFILE.sampleType, 'space', 'bytes');
  visitCalls(root, ({ selfBytes, selfSamples }, stack) => {
    if (selfBytes <= 0) return;
    profile.message(PROFILE.sample, (message) => {
      // Numbers begin at 1, and the innermost function comes first.
      const ids = stack.map((of) => functions.numberOf(functionKey(of), of) + 1).reverse();
      message.integers(SAMPLE.locationId, ids);
      message.integers(SAMPLE.value, [selfSamples, Math.round(selfBytes)]);
    });
  });
  for (const [index, { name, file, line }] of functions.values.entries()) {
    const id = index + 1;
    profile.message(PROFILE.location, (message) => {
      message.integer(LOCATION.id, id);
      message.message(LOCATION.line, (position) => {
        position.integer(LINE.functionId, id);
        position.integer(LINE.line, line);
      });
    });
    profile.message(PROFILE.function, (message) => {
      message.integer(FUNCTION.id, id);
      message.integer(FUNCTION.name, text(name));
      message.integer(FUNCTION.systemName, text(name));
      message.integer(FUNCTION.filename, text(file));
      message.integer(FUNCTION.startLine, line);
    });
  }
  valueType(PROFILE.periodType, 'space', 'bytes');
  profile.integer(PROFILE.period, header.intervalBytes);
  profile.integer(PROFILE.timeNanos, header.takenAt * 1e6);
  profile.integers(PROFILE.comment, [text(header.comment)]);
  profile.integer(PROFILE.defaultSampleType, text('space'));
  for (const string of strings.values) profile.string(PROFILE.stringTable, string);
  return gzipSync(profile.finish());
}
