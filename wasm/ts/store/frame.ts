import { VectordocError } from "../error.js";
import { crc32 } from "./crc32.js";

/** What a frame begins with: "VDFR". */
export const FRAME_MAGIC: Uint8Array = Uint8Array.of(0x56, 0x44, 0x46, 0x52);
/** Magic, bytes of the head, checksum of the head. */
export const PREFIX_BYTES = 12;
/** Bytes of one frame: what a batch may hold. */
export const FRAME_BYTES_MAX: number = 2 ** 30;
/** Besides the key, an entry of the head is: length of the key, length and checksum of the value. */
const ENTRY_BYTES = 10;
/** The length of a value that was removed. */
const REMOVED = 0xffff_ffff;

/** Where a value is in the file. */
export interface Place {
  readonly position: number;
  readonly length: number;
  readonly checksum: number;
  /** Bytes the entry takes up in the file, the value with them. */
  readonly size: number;
}

/** Keys and what became of them: a value, or nothing where they were removed. */
export type Batch = Iterable<readonly [key: string, value: Uint8Array | undefined]>;
/** Keys and where their values are, if they were not removed. */
export type Places = readonly (readonly [key: string, place: Place | undefined])[];

/** What the head of a frame says. */
export interface Head {
  readonly places: Places;
  /** Where the frame ends. */
  readonly end: number;
}

/**
 * The bytes of a batch. All numbers are little-endian:
 *
 *     magic, bytes of the head, checksum of the frame's position and the head
 *     head:   for each entry, length of the key, key, length and checksum of the value
 *     values: one after the other
 *
 * As the position is part of it, a frame that someone stores as a value is not taken for one.
 */
export function encodeFrame(batch: Batch, position: number): Uint8Array {
  const entries = Array.from(batch, ([key, value]) => ({ key: encodeKey(key), value }));
  const headBytes = entries.reduce((sum, { key }) => sum + ENTRY_BYTES + key.length, 0);
  const valueBytes = entries.reduce((sum, { value }) => sum + (value?.length ?? 0), 0);
  const frameBytes = PREFIX_BYTES + headBytes + valueBytes;
  if (frameBytes > FRAME_BYTES_MAX) {
    throw new VectordocError(
      "limit_exceeded",
      `a batch of ${frameBytes} bytes is over ${FRAME_BYTES_MAX}; store it in parts`,
    );
  }
  const frame = new Uint8Array(frameBytes);
  const view = new DataView(frame.buffer);
  let [inHead, inValues] = [PREFIX_BYTES, PREFIX_BYTES + headBytes];
  for (const { key, value } of entries) {
    view.setUint16(inHead, key.length, true);
    frame.set(key, inHead + 2);
    inHead += key.length + ENTRY_BYTES;
    view.setUint32(inHead - 8, value?.length ?? REMOVED, true);
    view.setUint32(inHead - 4, value ? crc32(value) : 0, true);
    frame.set(value ?? [], inValues);
    inValues += value?.length ?? 0;
  }
  const head = frame.subarray(PREFIX_BYTES, inHead);
  frame.set(FRAME_MAGIC);
  view.setUint32(4, headBytes, true);
  view.setUint32(8, checksumAt(position, head), true);
  return frame;
}

/** The bytes of the head of the frame whose prefix this is; nothing if it is none. */
export function headBytesOf(prefix: Uint8Array): number | undefined {
  const bytes = viewOf(prefix).getUint32(4, true);
  const isFrame = FRAME_MAGIC.every((byte, at) => prefix[at] === byte);
  return isFrame && bytes <= FRAME_BYTES_MAX ? bytes : undefined;
}

/** What the head of the frame at `position` says; nothing if it is damaged. */
export function decodeHead(prefix: Uint8Array, head: Uint8Array, position: number): Head | undefined {
  if (viewOf(prefix).getUint32(8, true) !== checksumAt(position, head)) {
    return undefined;
  }
  const view = viewOf(head);
  const places: [string, Place | undefined][] = [];
  let end = position + PREFIX_BYTES + head.length;
  for (let at = 0; at < head.length;) {
    const keyBytes = view.getUint16(at, true);
    const key = new TextDecoder().decode(head.subarray(at + 2, at + 2 + keyBytes));
    at += ENTRY_BYTES + keyBytes;
    const length = view.getUint32(at - 8, true);
    const isRemoved = length === REMOVED;
    const checksum = view.getUint32(at - 4, true);
    const size = ENTRY_BYTES + keyBytes + length;
    places.push([key, isRemoved ? undefined : { position: end, length, checksum, size }]);
    end += isRemoved ? 0 : length;
  }
  return { places, end };
}

function checksumAt(position: number, head: Uint8Array): number {
  return crc32(head, crc32(new Uint8Array(Float64Array.of(position).buffer)));
}

function encodeKey(key: string): Uint8Array {
  const bytes = new TextEncoder().encode(key);
  if (bytes.length > 0xffff) {
    throw new VectordocError("limit_exceeded", `a key of ${bytes.length} bytes is over 65535`);
  }
  return bytes;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
