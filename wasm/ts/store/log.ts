import { Buffer } from "node:buffer";
import { type FileHandle, open } from "node:fs/promises";
import process from "node:process";
import { VectordocError } from "../error.js";
import { crc32 } from "./crc32.js";
import {
  type Batch,
  FRAME_MAGIC,
  type Head,
  PREFIX_BYTES,
  type Place,
  type Places,
  decodeHead,
  encodeFrame,
  headBytesOf,
} from "./frame.js";

/** What a log begins with: "vectord", and the version of the format. */
const MAGIC = Uint8Array.of(0x76, 0x65, 0x63, 0x74, 0x6f, 0x72, 0x64);
const VERSION = 1;
const HEADER = Uint8Array.of(...MAGIC, VERSION);
/** Bytes read at once where heads are looked for. */
const READ_BYTES = 256 * 1024;

/** A file of frames, one after the other: it grows at its end and nowhere else. */
export class Log {
  readonly #file: FileHandle;
  readonly #path: string;
  /** Where the next frame begins. What lies behind was never acknowledged. */
  #end: number;
  /** Reads under way; the file stays open until they are done. */
  readonly #reads = new Set<Promise<unknown>>();

  private constructor(file: FileHandle, path: string, end: number) {
    this.#file = file;
    this.#path = path;
    this.#end = end;
  }

  /** A new, empty log; a file in its place is replaced. */
  static async create(path: string): Promise<Log> {
    const file = await open(path, "w+");
    const log = new Log(file, path, 0);
    try {
      await log.#write(HEADER);
    } catch (error) {
      await log.close();
      throw error;
    }
    return log;
  }

  /**
   * Opens a log and tells `found` of its frames. What a crash left half written at the end is cut
   * off, and a warning says so; damage anywhere else is an error.
   */
  static async open(path: string, found: (places: Places) => void): Promise<Log> {
    const log = new Log(await open(path, "r+"), path, HEADER.length);
    try {
      await log.#recover(found);
    } catch (error) {
      await log.close();
      throw error;
    }
    return log;
  }

  /** Where the log ends. */
  get end(): number {
    return this.#end;
  }

  /** Appends a batch; when it resolves, the batch outlives a crash. */
  async append(batch: Batch): Promise<Places> {
    const [position, frame] = [this.#end, encodeFrame(batch, this.#end)];
    const [prefix, rest] = [frame.subarray(0, PREFIX_BYTES), frame.subarray(PREFIX_BYTES)];
    const head = decodeHead(prefix, rest.subarray(0, headBytesOf(prefix)), position)!;
    await this.#write(frame);
    return head.places;
  }

  /** The value at a place. */
  async read(key: string, place: Place): Promise<Uint8Array> {
    const value = await this.#bytes(place.position, place.length);
    if (value.length < place.length || crc32(value) !== place.checksum) {
      throw this.#damaged(`the value of ${JSON.stringify(key)} at byte ${place.position}`);
    }
    return value;
  }

  /** Takes off what a failed write left, so that the next one can succeed. */
  async cut(): Promise<void> {
    await this.#file.truncate(this.#end);
    await this.#file.datasync();
  }

  /** Closes the file once it is not read any more. */
  async close(): Promise<void> {
    await Promise.allSettled(this.#reads);
    await this.#file.close();
  }

  async #write(bytes: Uint8Array): Promise<void> {
    for (let done = 0; done < bytes.length;) {
      const part = [done, bytes.length - done, this.#end + done] as const;
      done += (await this.#file.write(bytes, ...part)).bytesWritten;
    }
    await this.#file.datasync();
    this.#end += bytes.length;
  }

  /** Bytes from a position on; fewer where the file ends. */
  async #bytes(position: number, length: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(length);
    const reading = (async () => {
      for (let done = 0; done < length;) {
        const part = [done, length - done, position + done] as const;
        const { bytesRead } = await this.#file.read(bytes, ...part);
        if (bytesRead === 0) {
          return bytes.subarray(0, done);
        }
        done += bytesRead;
      }
      return bytes;
    })();
    this.#reads.add(reading);
    return reading.finally(() => this.#reads.delete(reading));
  }

  async #recover(found: (places: Places) => void): Promise<void> {
    const { size } = await this.#file.stat();
    await this.#checkHeader();
    const heads = new Heads((position, length) => this.#bytes(position, length), size);
    for (let head: Head | undefined; (head = await heads.at(this.#end)); this.#end = head.end) {
      // Frames before the last were on the disk before the next was begun.
      if (head.end === size && !(await this.#isWhole(head))) {
        break;
      }
      found(head.places);
    }
    if (this.#end < size) {
      await this.#cutTail(heads, size);
    }
  }

  async #checkHeader(): Promise<void> {
    const header = await this.#bytes(0, HEADER.length);
    if (header.length < HEADER.length || MAGIC.some((byte, at) => header[at] !== byte)) {
      throw this.#damaged("what it begins with");
    }
    const version = header[MAGIC.length];
    if (version !== VERSION) {
      throw new VectordocError(
        "unsupported",
        `${this.#path} has format ${version}, this version reads ${VERSION}; update vectordoc`,
      );
    }
  }

  async #isWhole(head: Head): Promise<boolean> {
    for (const [key, place] of head.places) {
      try {
        await (place && this.read(key, place));
      } catch (error) {
        if (error instanceof VectordocError) {
          return false;
        }
        throw error;
      }
    }
    return true;
  }

  async #cutTail(heads: Heads, size: number): Promise<void> {
    const next = await heads.after(this.#end);
    if (next !== undefined) {
      throw this.#damaged(`the batch at byte ${this.#end}, before a whole one at byte ${next},`);
    }
    await this.cut();
    process.emitWarning(
      `${this.#path}: the last ${size - this.#end} bytes, which a crash left half written, were cut off`,
      { code: "VECTORDOC_TORN_TAIL" },
    );
  }

  #damaged(what: string): VectordocError {
    return new VectordocError(
      "corrupt",
      `${this.#path}: ${what} is damaged; restore the database from a copy`,
    );
  }
}

/** Looks for heads in a file, reading it in large pieces. */
class Heads {
  readonly #read: (position: number, length: number) => Promise<Uint8Array>;
  readonly #size: number;
  #position = 0;
  #bytes: Uint8Array = new Uint8Array();

  constructor(read: (position: number, length: number) => Promise<Uint8Array>, size: number) {
    this.#read = read;
    this.#size = size;
  }

  /** The head of the frame at a position, if there is one that does not go beyond the file. */
  async at(position: number): Promise<Head | undefined> {
    const prefix = await this.#window(position, PREFIX_BYTES);
    const headBytes = prefix && headBytesOf(prefix);
    if (headBytes === undefined) {
      return undefined;
    }
    const bytes = await this.#window(position + PREFIX_BYTES, headBytes);
    const head = bytes && decodeHead(prefix!, bytes, position);
    return head && head.end <= this.#size ? head : undefined;
  }

  /** Where the next frame after a position begins. */
  async after(position: number): Promise<number | undefined> {
    for (let at = position + 1; at + PREFIX_BYTES <= this.#size;) {
      const bytes = await this.#read(at, Math.min(READ_BYTES, this.#size - at));
      const found = Buffer.from(bytes.buffer, 0, bytes.length).indexOf(FRAME_MAGIC);
      if (found >= 0 && (await this.at(at + found))) {
        return at + found;
      }
      // A frame may begin in the last bytes of this piece.
      at += found >= 0 ? found + 1 : bytes.length - FRAME_MAGIC.length + 1;
    }
    return undefined;
  }

  /** Bytes of the file; nothing if it has not so many. */
  async #window(position: number, length: number): Promise<Uint8Array | undefined> {
    if (position + length > this.#size) {
      return undefined;
    }
    let from = position - this.#position;
    if (from < 0 || from + length > this.#bytes.length) {
      const wanted = Math.max(length, READ_BYTES);
      this.#bytes = await this.#read(position, Math.min(wanted, this.#size - position));
      [this.#position, from] = [position, 0];
    }
    return this.#bytes.subarray(from, from + length);
  }
}

/** Makes the names of a directory outlive a crash; Windows has no such call and needs none. */
export async function syncDirectory(path: string): Promise<void> {
  if (process.platform !== "win32") {
    const directory = await open(path, "r");
    await directory.sync().finally(() => directory.close());
  }
}
