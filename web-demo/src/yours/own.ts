import { names, remove, restore } from "vectordoc";
import { type Atlas, AtlasBuilder } from "../corpus/atlas";
import { Corpus } from "../corpus/corpus";
import type { Entry } from "../corpus/entry";
import type { FromProjection, ToProjection } from "../corpus/projection.worker";
import type { Draft } from "./draft";

/** The name of the visitor's database. */
export const OWN = "yours";
/** Ids of entries written in the same millisecond. */
const IDS_PER_MS = 1_000;
/** On which tabs tell each other that it changed, or is to be let go of. */
const NEWS = "vectordoc-demo/yours";
/** How often other tabs are waited for, each time as long as the package waits. */
const ATTEMPTS = 12;

/** The visitor's own entries, which rest in the browser and are the same in all tabs. */
export class Own {
  /** Called when the entries are others, also by another tab. */
  onChange: (() => void) | undefined;
  readonly #news = new BroadcastChannel(NEWS);
  #corpus: Corpus | undefined;

  constructor() {
    this.#news.onmessage = ({ data }) => void (data === "release" ? this.#release() : this.#heard());
  }

  /** The database, if there is one. */
  get corpus(): Corpus | undefined {
    return this.#corpus;
  }

  /** Finds what an earlier visit or another tab left. */
  async find(): Promise<Corpus | undefined> {
    if (this.#corpus === undefined && (await names()).includes(OWN)) {
      this.#corpus = await Corpus.reopen(OWN);
    }
    return this.#corpus;
  }

  /** Adds entries, all of them or none. */
  async add(drafts: readonly Required<Draft>[], source: string, onProgress: (done: number) => void): Promise<void> {
    const dim = drafts[0]?.embedding?.length ?? 0;
    const odd = drafts.findIndex(({ embedding }) => embedding?.length !== dim);
    if (odd >= 0) {
      const length = drafts[odd]?.embedding?.length;
      throw new Error(`entry ${odd + 1} of ${source} has ${length} numbers, the first has ${dim}; all must have as many`);
    }
    const corpus = await this.#with(dim, source);
    const first = Date.now() * IDS_PER_MS;
    const entries = drafts.map(({ title, text, embedding }, at): Entry => {
      return { id: first + at, title, text, part: "", category: source, embedding: embedding as Float32Array };
    });
    await corpus.db.index(entries, { onProgress: ({ done }) => onProgress(done) });
    this.#tell();
  }

  /** Forgets everything. */
  async clear(): Promise<void> {
    await this.#alone(() => remove(OWN));
    this.#tell();
  }

  /** Takes the place of what there is from a file that was exported. */
  async restore(file: Blob): Promise<void> {
    await this.#alone(async () => {
      await remove(OWN);
      await restore(OWN, file);
    });
    this.#corpus = await Corpus.reopen(OWN);
    this.#tell();
  }

  /** The map of the entries: principal components, as there is no layout made ahead. */
  async atlas(): Promise<Atlas | undefined> {
    const corpus = this.#corpus;
    const count = (await corpus?.count()) ?? 0;
    if (corpus === undefined || count === 0) return undefined;
    const builder = new AtlasBuilder();
    const vectors: Float32Array[] = [];
    for await (const entry of corpus.db.scroll({ include: "*" })) {
      const { id, title, part, category, embedding } = entry as Entry;
      builder.add(id, title, part, category);
      vectors.push(embedding);
    }
    const { xs, ys } = await project(vectors, corpus.dim);
    return builder.finish(xs, ys);
  }

  async #with(dim: number, source: string): Promise<Corpus> {
    const known = await this.find();
    if (known !== undefined && known.dim !== dim) {
      throw new Error(
        `your entries have vectors of ${known.dim} numbers, ${source} has ${dim}; remove yours first, or embed its text`,
      );
    }
    return (this.#corpus ??= await Corpus.open(OWN, dim));
  }

  /** Does something with the database that needs it to be open nowhere. */
  async #alone(work: () => Promise<void>): Promise<void> {
    this.#news.postMessage("release");
    await this.#release();
    for (let attempt = 1; ; attempt++) {
      try {
        return await work();
      } catch (error) {
        const isBusy = (error as { readonly code?: string }).code === "busy";
        if (!isBusy || attempt === ATTEMPTS) throw error;
      }
    }
  }

  async #release(): Promise<void> {
    const corpus = this.#corpus;
    this.#corpus = undefined;
    await corpus?.close();
  }

  #tell(): void {
    this.#news.postMessage("changed");
    this.onChange?.();
  }

  async #heard(): Promise<void> {
    const isThere = (await names()).includes(OWN);
    if (isThere) await this.find();
    else await this.#release();
    this.onChange?.();
  }
}

function project(rows: readonly Float32Array[], dim: number): Promise<FromProjection> {
  const vectors = new Float32Array(rows.length * dim);
  rows.forEach((row, at) => vectors.set(row, at * dim));
  const worker = new Worker(new URL("../corpus/projection.worker.ts", import.meta.url), { type: "module" });
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }: MessageEvent<FromProjection>) => resolve(data);
    worker.onerror = ({ message }) => reject(new Error(message));
    const message: ToProjection = { vectors, dim };
    worker.postMessage(message, [vectors.buffer]);
  }).finally(() => worker.terminate()) as Promise<FromProjection>;
}
