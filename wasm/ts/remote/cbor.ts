import type { Encoding, Frame } from "./encoding.js";
import { DEPTH_MAX, type Sendable, checkDepth, checkLength, sendable, setField } from "./value.js";

// The part of CBOR (RFC 8949) that vectordoc speaks: what JSON can say, bytes, integers of 64 bits,
// and vectors as typed arrays (RFC 8746) of floats with the lowest byte first, as in the memory of
// every machine that runs JavaScript.

const [UNSIGNED, NEGATIVE, BYTES, TEXT, ARRAY, MAP, TAG] = [0, 1, 2, 3, 4, 5, 6];
/** Typed array of 32-bit floats. */
const FLOATS = 85;
const [FALSE, TRUE, NULL, UNDEFINED] = [0xf4, 0xf5, 0xf6, 0xf7];
const [FLOAT_16, FLOAT_32, FLOAT_64] = [0xf9, 0xfa, 0xfb];
const ARRAY_WITHOUT_LENGTH = 0x9f;
const WITHOUT_LENGTH = 31;
const BREAK = 0xff;
/** What follows the elements of a batch, which is the last of its message. */
const END_BYTES = 1;
const WRITER_BYTES = 1024;

/** CBOR in binary frames. */
export const cbor: Encoding = {
  protocol: "vectordoc.v1.cbor",
  encode(message, bytesMax): Frame {
    const writer = new Writer(bytesMax);
    writer.write(message, 0);
    const bytes = writer.written();
    checkLength(bytes.length, bytesMax);
    return bytes;
  },
  decode(frame): unknown {
    if (typeof frame === "string") {
      throw new TypeError("a text frame where CBOR was agreed on");
    }
    return new Reader(frame).readAll();
  },
};

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Bytes that grow. */
class Writer {
  #bytes = new Uint8Array(WRITER_BYTES);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;
  readonly #bytesMax: number;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** What was written. */
  written(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Writes one value, which is so deep in others. */
  write(value: unknown, depth: number): void {
    checkDepth(depth);
    this.#write(sendable(value), depth);
  }

  #write(item: Sendable, depth: number): void {
    switch (item.is) {
      case "null":
        return this.#byte(NULL);
      case "boolean":
        return this.#byte(item.value ? TRUE : FALSE);
      case "integer":
        return item.value < 0
          ? this.#head(NEGATIVE, typeof item.value === "bigint" ? -1n - item.value : -1 - item.value)
          : this.#head(UNSIGNED, item.value);
      case "number":
        this.#byte(FLOAT_64);
        return this.#number(8, (view, at) => view.setFloat64(at, item.value));
      case "text":
        return this.#text(item.value);
      case "bytes":
        return this.#raw(item.value);
      case "floats": {
        const { buffer, byteOffset, byteLength } = item.value;
        this.#head(TAG, FLOATS);
        return this.#raw(new Uint8Array(buffer, byteOffset, byteLength));
      }
      case "array":
        this.#head(ARRAY, item.value.length);
        return item.value.forEach((element) => this.write(element, depth + 1));
      case "object":
        this.#head(MAP, item.value.length);
        return item.value.forEach(([name, field]) => {
          this.write(name, depth + 1);
          this.write(field, depth + 1);
        });
      case "batch":
        this.#byte(ARRAY_WITHOUT_LENGTH);
        item.value.take((element) => this.#fits(element, depth + 1));
        return this.#byte(BREAK);
    }
  }

  /** Writes an element of a batch if there is room for it. */
  #fits(element: unknown, depth: number): boolean {
    const start = this.#length;
    this.write(element, depth);
    const fits = this.#length + END_BYTES <= this.#bytesMax;
    if (!fits) {
      this.#length = start;
    }
    return fits;
  }

  #byte(byte: number): void {
    this.#number(1, (view, at) => view.setUint8(at, byte));
  }

  #number(bytes: number, set: (view: DataView, at: number) => void): void {
    const at = this.#room(bytes);
    set(this.#view, at);
  }

  /** The major type and its argument, in as few bytes as it takes. */
  #head(major: number, argument: number | bigint): void {
    const first = major << 5;
    if (argument < 24) {
      this.#byte(first | Number(argument));
    } else if (argument < 0x100) {
      this.#byte(first | 24);
      this.#byte(Number(argument));
    } else if (argument < 0x10000) {
      this.#byte(first | 25);
      this.#number(2, (view, at) => view.setUint16(at, Number(argument)));
    } else if (argument < 0x100000000) {
      this.#byte(first | 26);
      this.#number(4, (view, at) => view.setUint32(at, Number(argument)));
    } else {
      this.#byte(first | 27);
      this.#number(8, (view, at) => view.setBigUint64(at, BigInt(argument)));
    }
  }

  #text(text: string): void {
    const bytes = encoder.encode(text);
    this.#head(TEXT, bytes.length);
    this.#append(bytes);
  }

  #raw(bytes: Uint8Array): void {
    this.#head(BYTES, bytes.length);
    this.#append(bytes);
  }

  #append(bytes: Uint8Array): void {
    const at = this.#room(bytes.length);
    this.#bytes.set(bytes, at);
  }

  /** Where `bytes` more bytes go. */
  #room(bytes: number): number {
    const at = this.#length;
    this.#length += bytes;
    if (this.#length > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(this.#length, 2 * this.#bytes.length));
      grown.set(this.#bytes);
      this.#bytes = grown;
      this.#view = new DataView(grown.buffer);
    }
    return at;
  }
}

/** Reads what is there, and believes no length that is longer. */
class Reader {
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array<ArrayBuffer>) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  readAll(): unknown {
    const value = this.#read(0);
    if (this.#at !== this.#bytes.length) {
      throw new RangeError(`${this.#bytes.length - this.#at} bytes follow after the end`);
    }
    return value;
  }

  #read(depth: number): unknown {
    if (depth > DEPTH_MAX) {
      throw new RangeError(`a value is nested deeper than ${DEPTH_MAX} levels`);
    }
    const first = this.#view.getUint8(this.#at++);
    const info = first & 31;
    switch (first >> 5) {
      case UNSIGNED:
        return integer(this.#argument(info), 1);
      case NEGATIVE:
        return integer(this.#argument(info), -1);
      case BYTES:
        return this.#take(this.#argument(info)).slice();
      case TEXT:
        return this.#text(this.#take(this.#argument(info)));
      case ARRAY:
        return this.#array(info, depth + 1);
      case MAP:
        return this.#map(info, depth + 1);
      case TAG:
        return this.#floats(this.#argument(info));
      default:
        return this.#simple(first);
    }
  }

  #simple(first: number): unknown {
    switch (first) {
      case FALSE:
      case TRUE:
        return first === TRUE;
      case NULL:
        return null;
      case UNDEFINED:
        return undefined;
      case FLOAT_16:
        return this.#half();
      case FLOAT_32:
        return this.#view.getFloat32(this.#skip(4));
      case FLOAT_64:
        return this.#view.getFloat64(this.#skip(8));
    }
    throw new TypeError(`byte ${first} begins no value`);
  }

  #half(): number {
    const bits = this.#view.getUint16(this.#skip(2));
    const [exponent, fraction] = [(bits >> 10) & 31, bits & 1023];
    const sign = bits >> 15 === 0 ? 1 : -1;
    if (exponent === 31) {
      return fraction === 0 ? sign * Infinity : NaN;
    }
    return sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25));
  }

  #argument(info: number): number | bigint {
    switch (info) {
      case 24:
        return this.#view.getUint8(this.#skip(1));
      case 25:
        return this.#view.getUint16(this.#skip(2));
      case 26:
        return this.#view.getUint32(this.#skip(4));
      case 27:
        return this.#view.getBigUint64(this.#skip(8));
    }
    if (info > 27) {
      throw new TypeError(`${info} says no length`);
    }
    return info;
  }

  #array(info: number, depth: number): unknown[] {
    const elements: unknown[] = [];
    for (let left = this.#count(info); this.#isMore(left); left--) {
      elements.push(this.#read(depth));
    }
    return elements;
  }

  #map(info: number, depth: number): object {
    const fields: Record<string, unknown> = {};
    for (let left = this.#count(info); this.#isMore(left); left--) {
      const name = this.#read(depth);
      if (typeof name !== "string") {
        throw new TypeError("a field is named by text");
      }
      setField(fields, name, this.#read(depth));
    }
    return fields;
  }

  /** How many items follow; without end when a break says so. */
  #count(info: number): number {
    return info === WITHOUT_LENGTH ? Infinity : Number(this.#argument(info));
  }

  #isMore(left: number): boolean {
    if (left !== Infinity) {
      return left > 0;
    }
    const isMore = this.#view.getUint8(this.#at) !== BREAK;
    this.#at += isMore ? 0 : 1;
    return isMore;
  }

  #floats(tag: number | bigint): Float32Array {
    const first = this.#view.getUint8(this.#skip(1));
    if (Number(tag) !== FLOATS || first >> 5 !== BYTES) {
      throw new TypeError(`tag ${tag} is no vector`);
    }
    // A slice begins where floats may.
    const { buffer } = this.#take(this.#argument(first & 31)).slice();
    return new Float32Array(buffer);
  }

  #text(bytes: Uint8Array): string {
    return decoder.decode(bytes);
  }

  #take(length: number | bigint): Uint8Array<ArrayBuffer> {
    const start = this.#skip(Number(length));
    return this.#bytes.subarray(start, this.#at);
  }

  /** Goes on by `bytes` and says where it was. */
  #skip(bytes: number): number {
    if (bytes > this.#bytes.length - this.#at) {
      throw new RangeError("the message ends early");
    }
    const start = this.#at;
    this.#at += bytes;
    return start;
  }
}

/** A number where every digit survives in one, a bigint beyond. */
function integer(argument: number | bigint, sign: 1 | -1): number | bigint {
  if (typeof argument === "number") {
    return sign > 0 ? argument : -1 - argument;
  }
  const exact = sign > 0 ? argument : -1n - argument;
  return Number.isSafeInteger(Number(exact)) ? Number(exact) : exact;
}
