// Reads arrays of two dimensions from npy files, as the data sets of `shared/data` have them.

import { readFile } from "node:fs/promises";

const PREFIX_BYTES = 10;

/** How the numbers of each type become an array of rows' numbers. */
const TYPES = {
  "<f4": (bytes) => new Float32Array(bytes),
  "<f2": (bytes) => Float32Array.from(new Uint16Array(bytes), half),
  "<i4": (bytes) => new Int32Array(bytes),
  "<u4": (bytes) => new Uint32Array(bytes),
  "<i8": (bytes) => Float64Array.from(new BigInt64Array(bytes), Number),
};

/** The rows of a file, each as a typed array; 64-bit integers as the numbers nearest to them. */
export async function readRows(path) {
  const file = await readFile(path);
  if (file.toString("latin1", 0, 6) !== "\x93NUMPY" || file[6] !== 1) {
    throw new Error(`${path} is no npy file of version 1`);
  }
  const start = PREFIX_BYTES + file.readUInt16LE(8);
  const header = file.toString("latin1", PREFIX_BYTES, start);
  const [, type] = /'descr': '([^']*)'/.exec(header) ?? [];
  const [, rows, columns] = /'shape': \((\d+), (\d+)\)/.exec(header) ?? [];
  const inOrder = header.includes("'fortran_order': False");
  if (TYPES[type] === undefined || columns === undefined || !inOrder) {
    throw new Error(`${path} has rows that are not read: ${header.trim()}`);
  }
  const bytes = file.buffer.slice(file.byteOffset + start, file.byteOffset + file.length);
  const numbers = TYPES[type](bytes);
  if (numbers.length !== rows * columns) {
    throw new Error(`${path} has ${numbers.length} numbers, its header says ${rows} × ${columns}`);
  }
  const row = (at) => numbers.subarray(at * columns, (at + 1) * columns);
  return Array.from({ length: rows }, (_, at) => row(at));
}

/** The number that the bits of a half-precision number stand for. */
function half(bits) {
  const sign = bits & 0x8000 ? -1 : 1;
  const [exponent, fraction] = [(bits >> 10) & 31, bits & 1023];
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
