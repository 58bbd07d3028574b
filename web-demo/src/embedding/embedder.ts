import type { Progress } from "vectordoc";
import type { FromEmbedder, ToEmbedder } from "./embedder.worker";

/** Bytes of the model, roughly, that a visitor is told before they are fetched. */
export const MODEL_MB = 23;
/** A place for the model beside the page, for where its hub cannot be reached: `?model=models/`. */
const BASE = new URLSearchParams(location.search).get("model");

interface Waiting {
  readonly resolve: (vectors: readonly Float32Array[]) => void;
  readonly reject: (error: Error) => void;
}

/** The model that makes vectors of text. It is fetched when it is first needed, and not before. */
export class Embedder {
  /** Called while the model is fetched. */
  onProgress: ((progress: Progress) => void) | undefined;
  #worker: Worker | undefined;
  #isReady = false;
  #number = 0;
  readonly #waiting = new Map<number, Waiting>();

  /** Whether the model was fetched. */
  get isReady(): boolean {
    return this.#isReady;
  }

  /** A vector for each text. */
  embed(texts: readonly string[]): Promise<readonly Float32Array[]> {
    const worker = (this.#worker ??= this.#start());
    const number = ++this.#number;
    // A path of this origin: no address may bring a model from elsewhere.
    const base = BASE === null ? undefined : new URL(BASE, document.baseURI).pathname;
    return new Promise((resolve, reject) => {
      this.#waiting.set(number, { resolve, reject });
      const message: ToEmbedder = { number, base, texts };
      worker.postMessage(message);
    });
  }

  #start(): Worker {
    const worker = new Worker(new URL("./embedder.worker.ts", import.meta.url), { type: "module" });
    worker.onmessage = ({ data }: MessageEvent<FromEmbedder>) => this.#take(data);
    worker.onerror = ({ message }) => this.#fail(message || "the model stopped");
    return worker;
  }

  #take(answer: FromEmbedder): void {
    if (answer.kind === "loading") {
      this.onProgress?.(answer);
      return;
    }
    const waiting = this.#waiting.get(answer.number);
    this.#waiting.delete(answer.number);
    if (answer.kind === "failed") {
      waiting?.reject(new Error(answer.message));
      return;
    }
    this.#isReady = true;
    waiting?.resolve(answer.vectors);
  }

  #fail(message: string): void {
    this.#waiting.forEach(({ reject }) => reject(new Error(message)));
    this.#waiting.clear();
    this.#worker?.terminate();
    this.#worker = undefined;
    this.#isReady = false;
  }
}
