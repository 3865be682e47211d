/**
 * The strings of a snapshot. Only their positions are kept: the strings of a service's heap are a third of the file, and a
 * census needs the names of a few hundred classes. A string is read from the file when it is asked for.
 *
 * The file is open only during a read, so a snapshot needs no disposal. Each read checks that the file is still the one that
 * was opened.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { BadSnapshotError, SnapshotChangedError } from '../profile-errors.js';

/** What tells that a file is still the same. */
export interface FileIdentity {
  readonly size: number;
  readonly mtimeMs: number;
  readonly ino: number;
}

/** Strings kept after they were read. Names of classes and properties repeat; contents of strings do not. */
const MAX_CACHED = 50_000;

export class StringTable {
  readonly #file: string;
  readonly #identity: FileIdentity;
  /** Position of each string's opening quote; after the last one, a position behind its closing quote. */
  readonly #starts: Float64Array;
  readonly #cache: Map<number, string> = new Map();

  constructor(file: string, identity: FileIdentity, starts: Float64Array) {
    this.#file = file;
    this.#identity = identity;
    this.#starts = starts;
  }

  /** Number of strings. */
  get size(): number {
    return this.#starts.length - 1;
  }

  get(index: number): string {
    return this.#cache.get(index) ?? (this.getAll([index])[0] as string);
  }

  /** Gives strings with one opening of the file. */
  getAll(indices: readonly number[]): string[] {
    const texts: string[] = [];
    this.visit(indices, (text) => texts.push(text));
    return texts;
  }

  /** Passes strings to `visitor`, with one opening of the file. Ascending indices are read fastest. */
  visit(indices: Iterable<number>, visitor: (text: string, index: number) => void): void {
    let file: number | undefined;
    try {
      for (const index of indices) {
        let text = this.#cache.get(index);
        if (text === undefined) {
          file ??= this.#open();
          text = this.#read(file, index);
          if (this.#cache.size >= MAX_CACHED) this.#cache.clear();
          this.#cache.set(index, text);
        }
        visitor(text, index);
      }
    } finally {
      if (file !== undefined) closeSync(file);
    }
  }

  #open(): number {
    let file: number;
    try {
      file = openSync(this.#file, 'r');
    } catch (error) {
      throw new SnapshotChangedError(this.#file, error);
    }
    const { size, mtimeMs, ino } = fstatSync(file);
    const { size: oldSize, mtimeMs: oldTime, ino: oldNode } = this.#identity;
    if (size === oldSize && mtimeMs === oldTime && ino === oldNode) return file;
    closeSync(file);
    throw new SnapshotChangedError(this.#file);
  }

  #read(file: number, index: number): string {
    const start = this.#starts[index];
    const next = this.#starts[index + 1];
    if (start === undefined || next === undefined) {
      throw new BadSnapshotError(
        this.#file,
        `it has ${this.size} strings, and uses number ${index}.`,
      );
    }
    const bytes = new Uint8Array(next - start);
    readSync(file, bytes, 0, bytes.length, start);
    const text = new TextDecoder().decode(bytes);
    try {
      return JSON.parse(text.slice(0, text.lastIndexOf('"') + 1)) as string;
    } catch (cause) {
      throw new BadSnapshotError(this.#file, `its string ${index} is malformed.`, cause);
    }
  }
}
