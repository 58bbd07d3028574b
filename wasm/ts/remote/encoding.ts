import { cbor } from "./cbor.js";
import { json } from "./json.js";

/** How messages are written. */
export interface Encoding {
  /** The sub-protocol that says so to the server. */
  readonly protocol: string;
  /**
   * Writes a message of at most `bytesMax` bytes: of a `Batch`, which is the last of it, as many
   * elements as there is room for.
   */
  encode(message: object, bytesMax: number): Frame;
  /** Reads a message; throws anything when it is none. */
  decode(frame: Frame): unknown;
}

/** What one WebSocket message carries. */
export type Frame = string | Bytes;

/** Bytes that no other thread sees; older compilers tell them from others by nothing. */
type Bytes = ReturnType<Uint8Array["slice"]>;

/** The encodings by their names. */
export const ENCODINGS: { readonly cbor: Encoding; readonly json: Encoding } = { cbor, json };
