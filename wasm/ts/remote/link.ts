import { VectordocError } from "../error.js";
import type { Encoding, Frame } from "./encoding.js";
import { type Incoming, UnknownMethod, request } from "./rpc.js";
import { Socket, type WebSocketConstructor } from "./socket.js";

/** Requests that wait to be sent. */
const WAITING_MAX = 65_536;
/** How often one request is sent, if connections are lost again and again. */
const SENDS_MAX = 5;
/** The first pause before connecting again; each is twice as long as the one before. */
const PAUSE_MS_MIN = 100;
const PAUSE_MS_MAX = 10_000;

/** How a server is reached. */
export interface LinkOptions {
  readonly url: string;
  readonly encoding: Encoding;
  readonly WebSocket: WebSocketConstructor;
  readonly apiKey: string | undefined;
  /** How long a request may take, connecting again included. */
  readonly timeoutMs: number;
}

/** One request until its promise settles. */
interface Pending {
  readonly id: number;
  readonly frame: Frame;
  /** Whether it comes out the same when it is done twice. */
  readonly isRepeatable: boolean;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: VectordocError) => void;
  /** How often it was sent. */
  sends: number;
  /** How many messages had come when it was sent last. */
  heard: number;
  /** Whether nobody waits for it any more. */
  isGivenUp: boolean;
}

/**
 * Requests to a server and their answers, over one connection after the other: one that is lost is
 * replaced when there is something to ask.
 */
export class Link {
  readonly #options: LinkOptions;
  #socket: Socket | undefined;
  /** Bytes of one request. */
  #messageBytesMax = Infinity;
  /** Whether the server wants no more requests on this connection. */
  #isLeaving = false;
  #isConnecting = false;
  /** Connections made since the last answer. */
  #attempts = 0;
  /** Why there is no connection. */
  #reason: VectordocError | undefined;
  #lastId = 0;
  readonly #waiting: Pending[] = [];
  readonly #inFlight: Map<number, Pending> = new Map();
  /** Promises that have not settled. */
  #unsettled = 0;
  /** Told when there are none any more. */
  #idle: (() => void) | undefined;
  #isClosed = false;

  private constructor(options: LinkOptions) {
    this.#options = options;
  }

  /** Connects; rejects when that fails, as a wrong address should. */
  static async open(options: LinkOptions): Promise<Link> {
    const link = new Link(options);
    await link.#connect();
    return link;
  }

  /**
   * The result of `method` with `params`. Rejects as `unavailable` when the connection is lost and
   * the request cannot be repeated, or there is no answer in time.
   */
  async request(method: string, params: object, isRepeatable: boolean): Promise<unknown> {
    this.#check();
    const { pending, answer } = this.#pend(method, params, isRepeatable);
    this.#waiting.push(pending);
    this.#advance();
    return answer;
  }

  /** Waits for the answers to what was asked, and disconnects. */
  async close(): Promise<void> {
    this.#isClosed = true;
    if (this.#unsettled > 0) {
      await new Promise<void>((resolve) => (this.#idle = resolve));
    }
    await this.#socket?.close();
    this.#socket = undefined;
  }

  #check(): void {
    if (this.#isClosed) {
      throw new VectordocError("closed", "this connection was closed");
    }
    if (this.#waiting.length >= WAITING_MAX) {
      const message = `${WAITING_MAX} requests wait already; await some of them`;
      throw new VectordocError("busy", message);
    }
  }

  /** A request that is written and not sent. */
  #pend(method: string, params: object, isRepeatable: boolean) {
    const id = ++this.#lastId;
    const frame = this.#options.encoding.encode(request(id, method, params), this.#messageBytesMax);
    let pending!: Pending;
    const answer = new Promise<unknown>((resolve, reject) => {
      pending = { id, frame, isRepeatable, resolve, reject, sends: 0, heard: 0, isGivenUp: false };
    });
    const late = setTimeout(() => this.#giveUp(pending), this.#options.timeoutMs);
    this.#unsettled++;
    const settled = () => {
      clearTimeout(late);
      if (--this.#unsettled === 0) {
        this.#idle?.();
      }
    };
    answer.then(settled, settled);
    return { pending, answer };
  }

  /** Sends what waits, as far as the server takes it. */
  #advance(): void {
    if (this.#socket === undefined) {
      void this.#reconnect();
    } else if (!this.#isLeaving) {
      while (this.#waiting.length > 0 && this.#inFlight.size < this.#socket.limits.inFlightMax) {
        this.#send(this.#waiting.shift() as Pending, this.#socket);
      }
    } else if (this.#inFlight.size === 0) {
      // All that it was asked before it wanted no more is answered.
      this.#socket.abandon(new VectordocError("unavailable", "the server is shutting down"));
    }
  }

  #send(pending: Pending, socket: Socket): void {
    pending.sends++;
    pending.heard = socket.heard;
    this.#inFlight.set(pending.id, pending);
    socket.send(pending.frame);
  }

  #hear(socket: Socket, message: Incoming): void {
    if ("method" in message) {
      this.#isLeaving ||= message.method === "goaway";
      return this.#advance();
    }
    if (message.id === undefined) {
      const unknown = new VectordocError("internal", "the server answers a request of nobody");
      return socket.abandon("error" in message ? message.error : unknown);
    }
    const pending = this.#inFlight.get(message.id);
    if (pending === undefined) {
      return;
    }
    this.#inFlight.delete(pending.id);
    this.#attempts = 0;
    if ("result" in message) {
      pending.resolve(message.result);
    } else if (this.#isLeaving && message.error.code === "unavailable" && mayRepeat(pending)) {
      // Refused, so that it can be asked again whatever it is.
      this.#waiting.unshift(pending);
    } else {
      pending.reject(message.error);
    }
    this.#advance();
  }

  /** What was sent over a connection that is lost is sent again, or nobody knows what became of it. */
  #end(socket: Socket, reason: VectordocError): void {
    const lost = [...this.#inFlight.values()];
    this.#inFlight.clear();
    this.#reason = reason;
    if (this.#socket === socket) {
      this.#socket = undefined;
    }
    for (const pending of lost.reverse()) {
      if (reason.code === "unavailable" && pending.isRepeatable && mayRepeat(pending)) {
        this.#waiting.unshift(pending);
      } else {
        const message = `${reason.message}; whether the request was done is not known`;
        pending.reject(new VectordocError(reason.code, message, { cause: reason }));
      }
    }
    this.#advance();
  }

  /** Waits no longer for an answer; whose place stays taken until it comes, or all places are. */
  #giveUp(pending: Pending): void {
    const why = pending.sends === 0 ? "it was not sent" : "whether it was done is not known";
    const message = `no answer within ${this.#options.timeoutMs} ms; ${why}`;
    pending.isGivenUp = true;
    pending.reject(new VectordocError("unavailable", message, { cause: this.#reason }));
    const place = this.#waiting.indexOf(pending);
    if (place >= 0) {
      this.#waiting.splice(place, 1);
    }
    const isSilent = this.#inFlight.has(pending.id) && this.#socket?.heard === pending.heard;
    const isFull = this.#inFlight.size === this.#socket?.limits.inFlightMax;
    if (isSilent || (isFull && [...this.#inFlight.values()].every(({ isGivenUp }) => isGivenUp))) {
      this.#socket?.abandon(new VectordocError("unavailable", "the server does not answer"));
    }
  }

  /** Connects until nothing waits any more. */
  async #reconnect(): Promise<void> {
    if (this.#isConnecting || this.#waiting.length === 0) {
      return;
    }
    this.#isConnecting = true;
    while (this.#socket === undefined && this.#waiting.length > 0) {
      await pause(this.#attempts++);
      try {
        await this.#connect();
      } catch (error) {
        this.#refused(error as VectordocError);
      }
    }
    this.#isConnecting = false;
    this.#advance();
  }

  /** Why there is no connection: only an absent server may be there later. */
  #refused(reason: VectordocError): void {
    this.#reason = reason;
    if (reason.code !== "unavailable") {
      this.#waiting.splice(0).forEach((pending) => pending.reject(reason));
    }
  }

  async #connect(): Promise<void> {
    const { WebSocket, url, encoding } = this.#options;
    this.#isLeaving = false;
    const socket = await Socket.open(WebSocket, url, encoding, {
      heard: (socket, message) => this.#hear(socket, message),
      ended: (socket, reason) => this.#end(socket, reason),
    });
    this.#messageBytesMax = socket.limits.messageBytesMax;
    await this.#authenticate(socket);
    if (socket.reason !== undefined) {
      throw socket.reason;
    }
    if (this.#isClosed && this.#waiting.length === 0) {
      return socket.close();
    }
    this.#socket = socket;
  }

  /** Shows the key, if there is one; a server that asks for none does not know the method. */
  async #authenticate(socket: Socket): Promise<void> {
    const { apiKey } = this.#options;
    if (apiKey === undefined) {
      return;
    }
    const { pending, answer } = this.#pend("auth", { key: apiKey }, false);
    this.#send(pending, socket);
    await answer.catch((error: unknown) => {
      if (!(error instanceof UnknownMethod)) {
        socket.abandon(error as VectordocError);
        throw error;
      }
    });
  }
}

/** Whether a request may be sent once more, and somebody waits for it. */
function mayRepeat(pending: Pending): boolean {
  return pending.sends < SENDS_MAX && !pending.isGivenUp;
}

/** Waits before connecting once more: not at all, then longer and longer, and never all at once. */
function pause(attempts: number): Promise<void> {
  const longest = attempts === 0 ? 0 : Math.min(PAUSE_MS_MAX, PAUSE_MS_MIN * 2 ** (attempts - 1));
  return new Promise((resolve) => setTimeout(resolve, longest * (0.5 + Math.random() / 2)));
}
