import type { Host } from "../host.js";
import type { Load } from "../open.js";
import { pause } from "../turn.js";
import { Guests } from "./guests.js";
import { refusalOf } from "./holder.js";
import { type Holding, openHolding } from "./holding.js";
import {
  type Candidacy,
  type Order,
  type Reply,
  type Request,
  type Way,
  clientLock,
  holderLock,
  newsChannel,
  ownName,
} from "./message.js";

/** Tells everybody something. */
type Tell = (reply: Reply) => void;

/**
 * The thread of a client as one of those who want to hold its database: it waits for the lock, then
 * opens the database and serves it to all clients until it is told to stop or dies.
 */
export class Candidate {
  readonly #load: Load;
  readonly #port: MessagePort;
  #candidacy: Candidacy;
  #holding: Holding | undefined;
  /** What names this holder of all. */
  #id = "";
  /** The number of the request to stop. */
  #bye = 0;
  /** Ends the holding at hand. */
  #end: (isLost: boolean) => void = () => undefined;
  /** Aborted when this is no candidate any more. */
  readonly #leaving = new AbortController();

  constructor(load: Load, candidacy: Candidacy, port: MessagePort) {
    this.#load = load;
    this.#candidacy = candidacy;
    this.#port = port;
    port.onmessage = ({ data }: MessageEvent<Order | Request>) => this.#hear(data);
    void this.#stand();
  }

  #hear(message: Order | Request): void {
    if (message.kind === "known") {
      this.#candidacy = { ...this.#candidacy, schema: undefined, isKnown: true };
    } else if (message.kind === "bye") {
      this.#bye = message.number;
      this.leave();
    } else {
      this.#receive(message, this.#port);
    }
  }

  #receive(request: Request, way: Way<Reply>): void {
    if (request.kind === "ping") {
      way.postMessage(this.#state());
    }
    this.#holding?.holder.receive(request, way);
  }

  /** What a ping is answered with. */
  #state(): Reply {
    const { client } = this.#candidacy;
    const holding = this.#holding;
    return holding === undefined
      ? { kind: "waiting" }
      : { kind: "up", holder: this.#id, client, ...holding.state() };
  }

  /** The database, while this holds it. */
  get host(): Host | undefined {
    return this.#holding?.host;
  }

  /** Stops as soon as what is at hand is done. */
  leave(): void {
    this.#leaving.abort();
    this.#end(false);
  }

  /** Waits for its turn, then holds the database. */
  async #stand(): Promise<void> {
    const { place, name, client } = this.#candidacy;
    if (place === "memory") {
      await this.#hold((reply) => this.#port.postMessage(reply));
    } else {
      // The lock of the client says that it lives.
      await navigator.locks.request(clientLock(client), () => this.#standInTurn(name));
    }
    this.#port.postMessage({ kind: "answer", number: this.#bye, answer: undefined });
  }

  async #standInTurn(name: string): Promise<void> {
    const { signal } = this.#leaving;
    const news = new BroadcastChannel(newsChannel(name));
    const tell: Tell = (reply) => {
      this.#port.postMessage(reply);
      news.postMessage(reply);
    };
    this.#port.postMessage({ kind: "standing" });
    // Rejects when it is aborted.
    const held = navigator.locks.request(holderLock(name), { signal }, () => this.#hold(tell));
    await held.catch(() => undefined);
    news.close();
  }

  /** Serves the database until it leaves; opens it again when that is needed. */
  async #hold(tell: Tell): Promise<void> {
    while (!this.#leaving.signal.aborted) {
      const ended = new Promise<boolean>((resolve) => (this.#end = resolve));
      tell({ kind: "opening" });
      try {
        const holding = await openHolding(await this.#load(this.#candidacy.module), this.#candidacy, {
          evolve: (schema) => {
            this.#candidacy = { ...this.#candidacy, schema };
            this.#end(false);
          },
          lose: () => this.#end(true),
          announce: () => tell(this.#state()),
        });
        await this.#serve(holding, ended, tell);
      } catch (error) {
        this.leave();
        this.#port.postMessage({ kind: "down", error: refusalOf(error) });
      }
    }
  }

  async #serve(holding: Holding, ended: Promise<boolean>, tell: Tell): Promise<void> {
    const guests = this.#candidacy.place === "memory" ? undefined : this.#greet(holding);
    holding.onFailure(async (error) => {
      // The call that failed is answered first.
      await pause();
      this.leave();
      const refusal = refusalOf(error);
      const kind = refusal.code === "corrupt" ? "down" : "trapped";
      this.#port.postMessage({ kind, error: refusal });
    });
    this.#id = ownName();
    this.#holding = holding;
    tell(this.#state());
    const isLost = await ended;
    this.#holding = undefined;
    guests?.refuse();
    // What was received is answered until the store is closed. An heir does not wait for a
    // checkpoint: it can make one itself.
    const isHasty = isLost || (guests !== undefined && (await this.#hasHeir()));
    await holding.close(isHasty).catch(() => undefined);
    guests?.leave();
  }

  /** Whether another candidate holds the database next. */
  async #hasHeir(): Promise<boolean> {
    const { pending = [] } = await navigator.locks.query();
    const name = holderLock(this.#candidacy.name);
    return this.#leaving.signal.aborted && pending.some((request) => request.name === name);
  }

  #greet({ holder }: Holding): Guests {
    return new Guests(this.#candidacy.name, holder, (request, way) => this.#receive(request, way));
  }
}
