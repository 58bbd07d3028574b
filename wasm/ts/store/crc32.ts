import * as zlib from "node:zlib";

/** The polynomial of CRC-32/ISO-HDLC, bits reversed. */
const POLYNOMIAL = 0xedb88320;

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let remainder = byte;
  for (let bit = 0; bit < 8; bit++) {
    remainder = (remainder >>> 1) ^ (remainder & 1 ? POLYNOMIAL : 0);
  }
  return remainder;
});

/** CRC-32 of bytes; that of several parts by giving the one of those before as `seed`. */
export type Crc32 = (bytes: Uint8Array, seed?: number) => number;

/** The one every runtime can compute. */
export const crc32ByTable: Crc32 = (bytes, seed = 0) => {
  let remainder = ~seed;
  for (const byte of bytes) {
    remainder = (remainder >>> 8) ^ TABLE[(remainder ^ byte) & 0xff]!;
  }
  return ~remainder >>> 0;
};

/** The fastest here: Node 20 has none of its own. */
export const crc32: Crc32 = (zlib as { crc32?: Crc32 }).crc32 ?? crc32ByTable;
