import type { Atlas } from "./atlas";
import type { Collection } from "./collection";
import type { Entry } from "./entry";
import type { FromReader, ToReader } from "./reader.worker";

/** A collection that is read by a worker, so that the page stays smooth. */
export class Reader {
  readonly #worker = new Worker(new URL("./reader.worker.ts", import.meta.url), { type: "module" });

  /** Reads a collection; what comes first is its atlas, then entries, of which `first` is the first. */
  async read(collection: Collection, first: number): Promise<Atlas> {
    const answer = await this.#ask({ read: collection, first });
    if (answer.kind !== "atlas") throw new Error(`the reader answered ${answer.kind}`);
    return answer.atlas;
  }

  /** The next entries, none after the last. */
  async take(count: number): Promise<readonly Entry[]> {
    const answer = await this.#ask({ take: count });
    return answer.kind === "entries" ? answer.entries : [];
  }

  close(): void {
    this.#worker.terminate();
  }

  #ask(message: ToReader): Promise<FromReader> {
    return new Promise((resolve, reject) => {
      this.#worker.onmessage = ({ data }: MessageEvent<FromReader>) => {
        if (data.kind === "failed") reject(new Error(data.message));
        else resolve(data);
      };
      this.#worker.onerror = ({ message }) => reject(new Error(message || "the reader stopped"));
      this.#worker.postMessage(message);
    });
  }
}
