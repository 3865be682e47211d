/**
 * Reads a JSON file from its start to its end, without ever holding more of it than one block. `JSON.parse` needs the whole
 * file as one string, and V8 allows 512 MB for one.
 *
 * The caller knows the outline of the file. It asks for a key, then for the value of that key in the form that it wants:
 * numbers in batches, the positions of strings, the text of a small value, or nothing.
 */
import { closeSync, openSync, readSync } from 'node:fs';

/** Bytes read at once. Larger blocks are not faster. */
const BLOCK_BYTES = 1 << 20;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const MINUS = 0x2d;
const ZERO = 0x30;
const NINE = 0x39;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/** No more bytes. */
const END = -1;

/** A file that is not the JSON that its reader expects. */
export class UnexpectedJson extends Error {}

/** What was read last of an array or an object. Numbers, because they are compared for each number of a file. */
const BEGINNING = 0;
const ITEM = 1;
const COMMA_BEHIND_ITEM = 2;

export class JsonFileReader {
  readonly #file: number;
  /** What was read last of the object that was entered. */
  #lastOfObject = BEGINNING;
  /** What was read last of the array that was entered. */
  #lastOfArray = BEGINNING;
  readonly #block: Uint8Array = new Uint8Array(BLOCK_BYTES);
  /** Position of the block's first byte in the file. */
  #blockStart = 0;
  #length = 0;
  #at = 0;

  /** Opens `file`. Throws the error of the file system. */
  constructor(file: string) {
    this.#file = openSync(file, 'r');
  }

  close(): void {
    closeSync(this.#file);
  }

  /** Position of the next byte in the file. */
  get position(): number {
    return this.#blockStart + this.#at;
  }

  /** Enters an object. */
  enterObject(): void {
    this.#expect(OPEN_OBJECT);
    this.#lastOfObject = BEGINNING;
  }

  /** Gives the next key of the object that was entered, or `undefined` at its end. The value of the last key must be read. */
  nextKey(): string | undefined {
    let byte = this.#take();
    if (byte === CLOSE_OBJECT) return undefined;
    if (this.#lastOfObject === ITEM) byte = this.#takeAfterComma(byte);
    if (byte !== QUOTE) throw this.#unexpected(byte);
    this.#lastOfObject = ITEM;
    let key = '';
    for (byte = this.#takeRaw(); byte !== QUOTE; byte = this.#takeRaw()) {
      if (byte === END) throw this.#unexpected(byte);
      key += String.fromCharCode(byte);
    }
    this.#expect(COLON);
    return key;
  }

  /** Makes sure that nothing follows. */
  expectEnd(): void {
    this.#expect(END);
  }

  /** Passes over a value. */
  skipValue(): void {
    this.#visitValue(() => {});
  }

  /** Gives the text of a value. The value must be small. */
  valueText(): string {
    const bytes: number[] = [];
    this.#visitValue((byte) => bytes.push(byte));
    return new TextDecoder().decode(Uint8Array.from(bytes));
  }

  /** Enters an array. */
  enterArray(): void {
    this.#expect(OPEN_ARRAY);
    this.#lastOfArray = BEGINNING;
  }

  /**
   * Reads the next numbers of the array that was entered. Returns how many: less than fit into `batch` at the end of the
   * array, which is then left. Numbers are integers, and not below 0 unless `signed` is true; one beyond 2^53 loses precision.
   */
  readNumbers(batch: Float64Array, signed: boolean): number {
    const room = batch.length;
    let count = 0;
    let value = 0;
    let digits = 0;
    let sign = 1;
    let last = this.#lastOfArray;
    while (count < room) {
      if (this.#at === this.#length && !this.#refill()) throw this.#unexpected(END);
      const block = this.#block;
      const end = this.#length;
      let at = this.#at;
      while (at < end) {
        const byte = block[at++] as number;
        if (byte >= ZERO && byte <= NINE) {
          value = value * 10 + (byte - ZERO);
          digits++;
          continue;
        }
        if (byte === MINUS && signed && digits === 0 && sign > 0) {
          sign = -1;
          continue;
        }
        let isWrong = sign < 0 && digits === 0;
        if (digits > 0) {
          isWrong = last === ITEM;
          batch[count++] = sign * value;
          last = ITEM;
          value = 0;
          digits = 0;
          sign = 1;
        }
        if (byte === COMMA) {
          isWrong ||= last !== ITEM;
          last = COMMA_BEHIND_ITEM;
        } else if (byte === CLOSE_ARRAY) isWrong ||= last === COMMA_BEHIND_ITEM;
        else isWrong ||= !isSpace(byte);
        if (isWrong) {
          this.#at = at;
          throw this.#unexpected(byte);
        }
        if (byte === CLOSE_ARRAY || count === room) {
          this.#lastOfArray = last;
          // The caller asks once more if the batch is full, and gets 0.
          this.#at = byte === CLOSE_ARRAY && count === room ? at - 1 : at;
          return count;
        }
      }
      this.#at = at;
    }
    return count;
  }

  /**
   * Finds the next strings of the array that was entered. Puts the position of each one's opening quote into `starts`, and
   * returns how many: less than fit at the end of the array, which is then left.
   */
  readStringStarts(starts: Float64Array): number {
    for (let count = 0; count < starts.length; count++) {
      let byte = this.#take();
      if (byte === CLOSE_ARRAY) return count;
      if (this.#lastOfArray === ITEM) byte = this.#takeAfterComma(byte);
      if (byte !== QUOTE) throw this.#unexpected(byte);
      this.#lastOfArray = ITEM;
      starts[count] = this.position - 1;
      this.#skipString();
    }
    return starts.length;
  }

  #visitValue(onByte: (byte: number) => void): void {
    let depth = 0;
    for (;;) {
      const byte = depth === 0 ? this.#take() : this.#takeRaw();
      if (byte === END) throw this.#unexpected(byte);
      onByte(byte);
      if (byte === QUOTE) this.#visitString(onByte);
      else if (byte === OPEN_ARRAY || byte === OPEN_OBJECT) depth++;
      else if (byte === CLOSE_ARRAY || byte === CLOSE_OBJECT) depth--;
      if (depth > 0) continue;
      if (byte === QUOTE || byte === CLOSE_ARRAY || byte === CLOSE_OBJECT) return;
      const next = this.#peek();
      if (next === COMMA || next === CLOSE_OBJECT || next === CLOSE_ARRAY || next === END) return;
    }
  }

  #visitString(onByte: (byte: number) => void): void {
    for (;;) {
      const byte = this.#takeRaw();
      if (byte === END) throw this.#unexpected(byte);
      onByte(byte);
      if (byte === QUOTE) return;
      if (byte === BACKSLASH) onByte(this.#takeRaw());
    }
  }

  /** Passes over the rest of a string. Strings are a third of a snapshot, so the loop stays within the block. */
  #skipString(): void {
    let escaped = false;
    for (;;) {
      if (this.#at === this.#length && !this.#refill()) throw this.#unexpected(END);
      const block = this.#block;
      const end = this.#length;
      let at = this.#at;
      while (at < end) {
        const byte = block[at++] as number;
        if (escaped) escaped = false;
        else if (byte === BACKSLASH) escaped = true;
        else if (byte === QUOTE) {
          this.#at = at;
          return;
        }
      }
      this.#at = at;
    }
  }

  /** Takes the byte after `byte`, which must be a comma. */
  #takeAfterComma(byte: number): number {
    if (byte !== COMMA) throw this.#unexpected(byte);
    return this.#take();
  }

  #expect(expected: number): void {
    const byte = this.#take();
    if (byte !== expected) throw this.#unexpected(byte);
  }

  /** Takes the next byte that is no white space. */
  #take(): number {
    const byte = this.#peek();
    if (byte !== END) this.#at++;
    return byte;
  }

  /** Gives the next byte that is no white space, without taking it. */
  #peek(): number {
    for (;;) {
      if (this.#at === this.#length && !this.#refill()) return END;
      const byte = this.#block[this.#at] as number;
      if (!isSpace(byte)) return byte;
      this.#at++;
    }
  }

  #takeRaw(): number {
    if (this.#at === this.#length && !this.#refill()) return END;
    return this.#block[this.#at++] as number;
  }

  #refill(): boolean {
    this.#blockStart += this.#length;
    this.#length = readSync(this.#file, this.#block, 0, BLOCK_BYTES, this.#blockStart);
    this.#at = 0;
    return this.#length > 0;
  }

  #unexpected(byte: number): UnexpectedJson {
    return new UnexpectedJson(
      byte === END
        ? `it ends at byte ${this.position}, in the middle of a value.`
        : `byte ${this.position - 1} is ${JSON.stringify(String.fromCharCode(byte))}, which no snapshot has there.`,
    );
  }
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}
