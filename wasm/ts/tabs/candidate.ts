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
  requestChannel,
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
    void (candidacy.place === "memory" ? this.#holdAlone() : this.#stand());
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

  /** Stops as soon as what is at hand is done. */
  leave(): void {
    this.#leaving.abort();
    this.#end(false);
  }

  async #holdAlone(): Promise<void> {
    await this.#hold((reply) => this.#port.postMessage(reply));
    this.#port.postMessage({ kind: "answer", number: this.#bye, answer: undefined });
  }

  /** Holds the database whenever it can; the lock of the client says meanwhile that it lives. */
  async #stand(): Promise<void> {
    const { name, client } = this.#candidacy;
    const { signal } = this.#leaving;
    const news = new BroadcastChannel(newsChannel(name));
    const tell: Tell = (reply) => {
      this.#port.postMessage(reply);
      news.postMessage(reply);
    };
    await navigator.locks.request(clientLock(client), async () => {
      this.#port.postMessage({ kind: "standing" });
      while (!signal.aborted) {
        await navigator.locks
          .request(holderLock(name), { signal }, () => this.#hold(tell))
          .catch(() => undefined);
      }
    });
    news.close();
    this.#port.postMessage({ kind: "answer", number: this.#bye, answer: undefined });
  }

  /** Opens the database and serves it until something ends that. */
  async #hold(tell: Tell): Promise<void> {
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

  async #serve(holding: Holding, ended: Promise<boolean>, tell: Tell): Promise<void> {
    const guests = new Guests(holding.holder);
    const requests = new BroadcastChannel(requestChannel(this.#candidacy.name));
    requests.onmessage = ({ data }: MessageEvent<Request>) =>
      this.#receive(data, guests.wayTo(data.client));
    holding.onTrap(async (error) => {
      // The call that failed is answered first.
      await pause();
      this.leave();
      this.#port.postMessage({ kind: "trapped", error: refusalOf(error) });
    });
    this.#id = crypto.randomUUID();
    this.#holding = holding;
    tell(this.#state());
    const isLost = await ended;
    requests.close();
    this.#holding = undefined;
    // What was received is answered until the store is closed.
    await holding.close(isLost).catch(() => undefined);
    guests.leave();
  }
}
