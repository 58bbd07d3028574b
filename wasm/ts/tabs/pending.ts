import { VectordocError } from "../error.js";
import type { OnProgress } from "../session.js";
import { SLICE_DOCUMENTS, packedDocument, slicesOf } from "../slices.js";
import type { Asked, Order } from "./message.js";
import { Staging } from "./staging.js";

/** Documents that may be on their way to the holder. */
const DOCUMENTS_UNDER_WAY_MAX = 1_024;

/** What is asked of a holder, or of a candidate. */
export type Numbered = Extract<Asked | Order, { number: number }>;

/** Something asked that is not answered. */
export class Pending {
  readonly asked: Numbered;
  readonly onProgress: OnProgress | undefined;
  /** How often it was sent. */
  attempts = 0;
  /** For how many looks of the client it waits. */
  looks = 0;
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: unknown) => void;
  /** Settles as the request does. */
  readonly done: Promise<unknown>;
  #taken = 0;
  #onTaken: () => void = () => undefined;

  constructor(asked: Numbered, onProgress: OnProgress | undefined) {
    this.asked = asked;
    this.onProgress = onProgress;
    let settle!: [(answer: unknown) => void, (error: unknown) => void];
    this.done = new Promise((...pair) => (settle = pair));
    const [resolve, reject] = settle;
    this.resolve = (answer) => {
      this.#takeRest();
      resolve(answer);
    };
    this.reject = reject;
  }

  /** The holder has so many of the documents. */
  take(done: number): void {
    const { asked } = this;
    this.#taken = done;
    this.#onTaken();
    if (asked.kind === "write" && "docs" in asked.change) {
      this.onProgress?.({ done, total: asked.change.docs.length });
    }
  }

  /** An answer says that the holder has the documents that came with their change, too. */
  #takeRest(): void {
    const { asked } = this;
    const total = asked.kind === "write" && "docs" in asked.change ? asked.change.docs.length : 0;
    if (this.#taken < total) {
      this.take(total);
    }
  }

  /** Ends a sending that waits for the holder. */
  wake(): void {
    this.#onTaken();
  }

  /**
   * Sends the change: with few documents as it is, else the documents in slices before it, not many
   * ahead of the holder and never long at a time; stops when it `isOver`.
   */
  async send(
    vectors: readonly string[],
    post: (asked: Asked) => void,
    isOver: () => boolean,
  ): Promise<void> {
    const { asked } = this;
    if (asked.kind !== "write" || isOver()) {
      return;
    }
    if (!("docs" in asked.change)) {
      return post(asked);
    }
    const { docs } = asked.change;
    const { number } = asked;
    const round = this.attempts;
    const staging = new Staging();
    if (docs.length <= SLICE_DOCUMENTS) {
      const all = docs.map((doc) => packedDocument(doc, vectors));
      return post({ ...asked, round, change: { ...asked.change, docs: staging.pack(all) } });
    }
    this.#taken = 0;
    let at = 0;
    for await (const slice of slicesOf(docs, vectors)) {
      while (at - this.#taken >= DOCUMENTS_UNDER_WAY_MAX && !isOver()) {
        await new Promise<void>((resolve) => (this.#onTaken = resolve));
      }
      if (isOver()) {
        return;
      }
      post({ kind: "slice", number, round, at, docs: staging.pack(slice) });
      at += slice.length;
    }
    post({ ...asked, round, change: { ...asked.change, docs: [] }, sliced: at });
  }
}

/** Posts a message; what cannot be cloned is said to be invalid. */
export function posted(post: () => void): void {
  try {
    post();
  } catch (cause) {
    const message = `it cannot be sent to the thread that holds the database: ${String(cause)}`;
    throw new VectordocError("invalid", message, { cause });
  }
}
