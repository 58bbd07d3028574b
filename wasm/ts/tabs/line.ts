import type { Host } from "../host.js";
import {
  type Candidacy,
  type Order,
  type Reply,
  type Request,
  type Way,
  newsChannel,
  replyChannel,
  requestChannel,
} from "./message.js";
import type { Seat } from "./seat.js";

/** Where a reply comes from: the candidate of this client, or another tab. */
export type Origin = "own" | "other";

/** What connects a client with its own candidate, and with whoever holds the database elsewhere. */
export class Line {
  readonly #seat: Seat;
  readonly #channels: readonly BroadcastChannel[];
  readonly #requests: BroadcastChannel | undefined;

  constructor(
    seat: Seat,
    { name, client, place }: Candidacy,
    receive: (reply: Reply, origin: Origin) => void,
  ) {
    this.#seat = seat;
    seat.port.onmessage = ({ data }: MessageEvent<Reply>) => receive(data, "own");
    if (place === "memory") {
      this.#channels = [];
      return;
    }
    this.#requests = new BroadcastChannel(requestChannel(name));
    const names = [newsChannel(name), replyChannel(client)];
    const heard = names.map((name) => new BroadcastChannel(name));
    for (const channel of heard) {
      channel.onmessage = ({ data }: MessageEvent<Reply>) => receive(data, "other");
    }
    this.#channels = [this.#requests, ...heard];
  }

  /** The way to the candidate of this client. */
  get own(): Way<Order | Request> {
    return this.#seat.port;
  }

  /** The way to whoever holds the database in another tab. */
  get other(): Way<Request> | undefined {
    return this.#requests;
  }

  /** The database, if it is held in this thread: then it can be read without a message. */
  host(): Host | undefined {
    return this.#seat.host?.();
  }

  /** Cuts it, and ends the candidate. */
  cut(): void {
    this.#seat.port.onmessage = null;
    this.#seat.leave();
    this.#channels.forEach((channel) => channel.close());
  }
}
