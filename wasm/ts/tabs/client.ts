import { unpacked } from "../answer.js";
import { VectordocError } from "../error.js";
import type { Schema } from "../schema.js";
import type {
  Answers,
  Archive,
  Change,
  OnProgress,
  Outcome,
  Questions,
  Verb,
} from "../session.js";
import type { Shard } from "../shard.js";
import { vectorFields } from "../slices.js";
import { Line, type Origin } from "./line.js";
import {
  type Asked,
  type Candidacy,
  type Opening,
  type Refusal,
  type Reply,
  type Request,
  type Up,
  type Way,
  clientLock,
  ownName,
} from "./message.js";
import { type Numbered, Pending, posted } from "./pending.js";
import type { Seats } from "./seat.js";
import { forgetInPage, recallInPage, rememberInPage } from "./sentinel.js";
import { Staging } from "./staging.js";

/** Milliseconds between two looks whether the holder is there, while something is asked. */
const LOOK_MS = 1_500;
/** Looks without a sign of life after which nothing is expected any more. */
const SILENCE_MAX = 4;
/** The same of a holder that said that it is busy. */
const BUSY_SILENCE_MAX = 40;
/**
 * How often a request that waits for too long is sent, and a dead candidate replaced before anything
 * is answered.
 */
const ATTEMPTS_MAX = 4;

/** A request without its number. */
type Unnumbered<A = Numbered> = A extends Numbered ? Omit<A, "number"> : never;

/**
 * A database that is held by another thread, in this tab or another: whoever holds it is asked, and
 * asked again when it changes. Of the candidates for holding it, one belongs to this client.
 */
export class Client implements Shard {
  schema: Schema = {};
  /** Called when it is closed. */
  onClose: (() => void) | undefined;
  readonly #seats: Seats;
  #candidacy: Candidacy;
  #line: Line | undefined;
  /** The way to the holder, once it said that it is there. */
  #way: Way<Request> | undefined;
  /** Which holder that is. */
  #holder: string | undefined;
  readonly #pending = new Map<number, Pending>();
  #next = 1;
  /** Writes are sent one after the other. */
  #sending: Promise<void> = Promise.resolve();
  #timer: ReturnType<typeof setInterval> | undefined;
  /** Looks since the last sign of the holder, and of the own candidate. */
  #silence = { holder: 0, own: 0, max: SILENCE_MAX };
  /** Whether the own candidate has the lock of this client, as long as it lives. */
  #isStanding = false;
  /** Candidates that died since a request was answered. */
  #deaths = 0;
  #closing: Promise<void> | undefined;
  /** Why nothing can be asked any more. */
  #end: VectordocError | undefined;

  private constructor(opening: Opening, seats: Seats) {
    const isKnown = recallInPage(opening.name);
    this.#candidacy = { ...opening, client: ownName(), isKnown };
    this.#seats = seats;
  }

  /** Opens a database through candidates in `seats`. */
  static async open(opening: Opening, seats: Seats): Promise<Client> {
    const client = new Client(opening, seats);
    try {
      await client.#ask({ kind: "open", schema: opening.schema });
    } catch (error) {
      client.rest();
      throw error;
    }
    client.#candidacy = { ...client.#candidacy, schema: undefined, isKnown: true };
    client.#line?.own.postMessage({ kind: "known" });
    if (opening.place !== "memory") {
      rememberInPage(opening.name);
    }
    return client;
  }

  async write(change: Change, onProgress?: OnProgress): Promise<Outcome> {
    return (await this.#ask({ kind: "write", round: 0, change, sliced: 0 }, onProgress)) as Outcome;
  }

  async read<V extends Verb>(verb: V, question: Questions[V]): Promise<Answers[V]> {
    const host = this.#closing === undefined ? this.#line?.host() : undefined;
    if (host !== undefined) {
      return host.read(verb, question);
    }
    // A vector crosses with its whole buffer.
    const [packed] = new Staging().pack([question]);
    const answer = await this.#ask({ kind: "read", verb, question: packed as Questions[V] });
    return unpacked(verb, question, answer);
  }

  async answer(question: Uint8Array): Promise<Uint8Array> {
    return (await this.#ask({ kind: "part", question })) as Uint8Array;
  }

  async settle(onProgress?: OnProgress): Promise<void> {
    await this.#ask({ kind: "settle" }, onProgress);
  }

  async export(): Promise<Archive> {
    return (await this.#ask({ kind: "export" })) as Archive;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await Promise.allSettled([...this.#pending.values()].map(({ done }) => done));
    if (this.#line !== undefined) {
      await this.#enqueue({ kind: "bye" }).done.catch(() => undefined);
    }
    this.rest();
    this.onClose?.();
  }

  /** Lets go of everything for a while; what is asked waits. */
  rest(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#line?.cut();
    this.#line = this.#way = this.#holder = undefined;
    this.#isStanding = false;
    this.#pending.forEach((pending) => pending.wake());
  }

  /** Comes back from a rest. */
  resume(): void {
    const isDone = this.#closing !== undefined && this.#pending.size === 0;
    if (this.#line === undefined && this.#end === undefined && !isDone) {
      this.#join();
    }
  }

  #join(): void {
    try {
      const seat = this.#seats.take(this.#candidacy, (why) => this.#replace(why));
      this.#line = new Line(seat, this.#candidacy, (reply, origin) => this.#hear(reply, origin));
    } catch (cause) {
      const message = `this thread cannot start what holds the database: ${String(cause)}`;
      return this.#rejectAll(new VectordocError("unavailable", message, { cause }));
    }
    this.#silence = { holder: 0, own: 0, max: SILENCE_MAX };
    this.#timer ??= setInterval(() => this.#look(), LOOK_MS);
  }

  async #ask(asked: Unnumbered, onProgress?: OnProgress): Promise<unknown> {
    if (this.#closing !== undefined) {
      const message = `database "${this.#candidacy.name}" was closed; open it again`;
      throw new VectordocError("closed", message);
    }
    if (this.#end !== undefined) {
      throw this.#end;
    }
    return this.#enqueue(asked, onProgress).done;
  }

  #enqueue(asked: Unnumbered, onProgress?: OnProgress): Pending {
    const number = this.#next++;
    const pending = new Pending({ ...asked, number } as Numbered, onProgress);
    this.#pending.set(number, pending);
    if (this.#line === undefined) {
      this.#join();
    } else if (this.#timer === undefined) {
      this.#silence = { ...this.#silence, holder: 0, own: 0 };
      this.#timer = setInterval(() => this.#look(), LOOK_MS);
    }
    this.#send(pending);
    return pending;
  }

  /** Sends a request if it is known where to; else it is sent when that is. */
  #send(pending: Pending): void {
    const { asked } = pending;
    if (asked.kind === "bye") {
      return this.#line?.own.postMessage(asked);
    }
    const way = this.#way;
    if (way === undefined) {
      return;
    }
    pending.attempts += 1;
    if (pending.attempts > ATTEMPTS_MAX && pending.looks > SILENCE_MAX) {
      const message = `it was asked ${pending.attempts} times, and each time its holder ended`;
      return this.#settle(asked.number, () => pending.reject(this.#unavailable(message)));
    }
    const post = (asked: Asked) => posted(() => this.#post(way, asked));
    const failed = (error: unknown) => this.#settle(asked.number, () => pending.reject(error));
    if (asked.kind === "write") {
      const round = pending.attempts;
      const isOver = () =>
        way !== this.#way || round !== pending.attempts || !this.#pending.has(asked.number);
      pending.wake();
      const vectors = vectorFields(this.schema);
      this.#sending = this.#sending.then(() => pending.send(vectors, post, isOver).catch(failed));
    } else {
      try {
        post(asked);
      } catch (error) {
        failed(error);
      }
    }
  }

  #post(way: Way<Request>, asked: Asked): void {
    const [oldest = this.#next] = this.#pending.keys();
    way.postMessage({ client: this.#candidacy.client, oldest, ...asked });
  }

  #settle(number: number, settle: () => void): void {
    if (this.#pending.delete(number)) {
      settle();
    }
  }

  #hear(reply: Reply, origin: Origin): void {
    if (origin === "own") {
      this.#silence.own = 0;
    }
    // The last request is for the own candidate, which may have much to store.
    const isLast = this.#closing !== undefined && origin === "own";
    if (isLast || (reply.kind !== "waiting" && reply.kind !== "standing")) {
      this.#silence.holder = 0;
    }
    switch (reply.kind) {
      case "standing":
        this.#isStanding = true;
        return this.#ping();
      case "waiting":
        return;
      case "opening":
        this.#silence.max = BUSY_SILENCE_MAX;
        return;
      case "up":
        return this.#follow(reply, origin);
      case "down":
        return this.#fall(reply.error);
      case "trapped":
        return this.#replace(reply.error.message);
      default:
        this.#hearOf(reply);
    }
  }

  /** Something about a request. */
  #hearOf(reply: Extract<Reply, { number: number }>): void {
    const { number } = reply;
    const pending = this.#pending.get(number);
    switch (reply.kind) {
      case "answer":
        this.#deaths = 0;
        return this.#settle(number, () => pending?.resolve(reply.answer));
      case "refusal":
        return this.#settle(number, () => pending?.reject(errorOf(reply.error)));
      case "taken":
        return pending?.take(reply.docs);
      case "again":
        return pending?.attempts === reply.round ? this.#send(pending) : undefined;
      case "progress":
        return pending?.onProgress?.(reply.progress);
    }
  }

  /** A holder says that it is there: if it is another one, it is asked what the last did not answer. */
  #follow({ holder, client, schema, isBusy }: Up, origin: Origin): void {
    if (origin === "other" && client === this.#candidacy.client) {
      // It says so by the port too, which is faster.
      return;
    }
    this.#silence.max = isBusy ? BUSY_SILENCE_MAX : SILENCE_MAX;
    this.schema = schema;
    if (holder !== this.#holder) {
      this.#holder = holder;
      const target = origin === "own" ? this.#line?.own : this.#line?.other;
      this.#way = { postMessage: (request) => target?.postMessage(request) };
      this.#sending = Promise.resolve();
      [...this.#pending.values()].forEach((pending) => this.#send(pending));
    }
  }

  /** The own candidate could not open the database. */
  #fall(refusal: Refusal): void {
    this.rest();
    if (refusal.code === "corrupt") {
      forgetInPage(this.#candidacy.name);
      const message = `database "${this.#candidacy.name}" is closed since it was found damaged or lost; open it again`;
      this.#end = new VectordocError("closed", message);
    }
    this.#rejectAll(errorOf(refusal));
  }

  /** The own candidate died: another one takes its place, but not for ever. */
  #replace(why: string): void {
    this.rest();
    this.#deaths += 1;
    if (this.#closing !== undefined) {
      return this.#rejectAll(this.#unavailable(why));
    }
    if (!this.#seats.areApart || this.#candidacy.place === "memory") {
      this.#end = this.#unavailable(`the thread that held it failed (${why}); open it again`);
      return this.#rejectAll(this.#end);
    }
    if (this.#deaths > ATTEMPTS_MAX) {
      this.#deaths = 0;
      return this.#rejectAll(this.#unavailable(`its worker failed again and again: ${why}`));
    }
    this.#join();
  }

  /** Asks for signs of life as long as something is asked. */
  #look(): void {
    if (this.#pending.size === 0) {
      clearInterval(this.#timer);
      this.#timer = undefined;
      return;
    }
    this.#silence.holder += 1;
    this.#silence.own += 1;
    this.#pending.forEach((pending) => (pending.looks += 1));
    if (this.#silence.holder > this.#silence.max) {
      const who = this.#way === undefined ? "whoever holds it" : "the thread that holds it";
      this.#silence.holder = 0;
      this.#rejectAll(this.#unavailable(`${who} does not answer`));
    }
    if (this.#silence.own > this.#silence.max) {
      return this.#replace("it does not answer");
    }
    this.#ping();
    void this.#checkOwn();
  }

  /** Replaces the own candidate if its thread ended, of which nobody tells. */
  async #checkOwn(): Promise<void> {
    const line = this.#line;
    if (this.#isStanding) {
      const { held = [] } = await navigator.locks.query();
      const isHeld = held.some(({ name }) => name === clientLock(this.#candidacy.client));
      if (!isHeld && line === this.#line) {
        this.#replace("it was terminated");
      }
    }
  }

  #ping(): void {
    if (this.#line !== undefined) {
      this.#post(this.#line.own, { kind: "ping" });
      if (this.#line.other !== undefined) {
        this.#post(this.#line.other, { kind: "ping" });
      }
    }
  }

  #unavailable(why: string): VectordocError {
    const message = `database "${this.#candidacy.name}" is not available: ${why}; whether writes under way happened is not known`;
    return new VectordocError("unavailable", message);
  }

  #rejectAll(error: unknown): void {
    for (const [number, pending] of [...this.#pending]) {
      this.#settle(number, () => pending.reject(error));
    }
  }
}

function errorOf({ code, message }: Refusal): VectordocError {
  return new VectordocError(code, message);
}
