import { VectordocError } from "../error.js";
import type { Encoding, Frame } from "./encoding.js";
import { type Fields, type Incoming, count, incoming, object, understood } from "./rpc.js";

/** How long a server may take to accept a connection and say hello. */
const OPEN_MS_MAX = 10_000;
/** How long a server may take to say goodbye. */
const CLOSE_MS_MAX = 2_000;
const PATH = "/v1/ws";
const NORMAL = 1000;

/** As much of the standard's `WebSocket` as is used, so that others can be brought. */
export interface WebSocketLike {
  binaryType: string;
  readonly protocol: string;
  send(data: Frame): void;
  close(code?: number): void;
  addEventListener(type: "error", listener: () => void): void;
  addEventListener(type: "message", listener: (event: { readonly data: unknown }) => void): void;
  addEventListener(
    type: "close",
    listener: (event: { readonly code: number; readonly reason: string }) => void,
  ): void;
}

/** The constructor of a WebSocket. */
export type WebSocketConstructor = new (url: string, protocol: string) => WebSocketLike;

/** What a server takes. */
export interface ServerLimits {
  /** Bytes of one request. */
  readonly messageBytesMax: number;
  /** Requests of one connection that are not answered yet. */
  readonly inFlightMax: number;
}

/** Who is told what a socket hears. */
export interface Listener {
  /** Something came, well formed. */
  heard(socket: Socket, message: Incoming): void;
  /** It is over; nothing follows. */
  ended(socket: Socket, reason: VectordocError): void;
}

/** The address of the service, `url` with its path unless it has one. */
export function serviceUrl(url: string): string {
  const wrong = (cause?: unknown) =>
    new VectordocError("invalid", `"${url}" is no address such as wss://host`, { cause });
  try {
    const parsed = new URL(url);
    if (parsed.protocol !== "ws:" && parsed.protocol !== "wss:") {
      throw wrong();
    }
    parsed.pathname = parsed.pathname === "/" ? PATH : parsed.pathname;
    return parsed.href;
  } catch (cause) {
    throw cause instanceof VectordocError ? cause : wrong(cause);
  }
}

/** One WebSocket, from the hello of its server to its end. */
export class Socket {
  /** What the server takes. */
  readonly limits: ServerLimits;
  /** How many messages came. */
  heard = 0;
  readonly #socket: WebSocketLike;
  readonly #encoding: Encoding;
  readonly #listener: Listener;
  /** Why it is over, if it is. */
  reason: VectordocError | undefined;

  private constructor(
    socket: WebSocketLike,
    encoding: Encoding,
    limits: ServerLimits,
    listener: Listener,
  ) {
    this.#socket = socket;
    this.#encoding = encoding;
    this.limits = limits;
    this.#listener = listener;
  }

  /** Connects to `url` and waits for the hello; rejects when nobody says it. */
  static open(
    WebSocket: WebSocketConstructor,
    url: string,
    encoding: Encoding,
    listener: Listener,
  ): Promise<Socket> {
    return new Promise((resolve, reject) => {
      const raw = construct(WebSocket, url, encoding);
      let socket: Socket | undefined;
      const fail = (error: VectordocError) => {
        clearTimeout(late);
        raw.close();
        reject(error);
      };
      const unanswered = (why: string) =>
        new VectordocError("unavailable", `cannot connect to ${url}: ${why}`);
      const late = setTimeout(() => fail(unanswered("the server does not answer")), OPEN_MS_MAX);
      raw.addEventListener("message", ({ data }) => {
        if (socket !== undefined) {
          return socket.#hear(data);
        }
        try {
          const limits = helloOf(raw, encoding, data);
          clearTimeout(late);
          resolve((socket = new Socket(raw, encoding, limits, listener)));
        } catch (cause) {
          const message = "the server there does not speak as vectordoc does";
          fail(new VectordocError("unsupported", message, { cause }));
        }
      });
      // What is known comes with the event of the close, which follows.
      raw.addEventListener("error", () => undefined);
      raw.addEventListener("close", ({ code, reason }) => {
        const why = `the connection ended with code ${code}${reason === "" ? "" : `: ${reason}`}`;
        fail(unanswered(why));
        if (socket !== undefined) {
          socket.#end(new VectordocError("unavailable", why));
        }
      });
    });
  }

  /** Sends one message. */
  send(frame: Frame): void {
    this.#socket.send(frame);
  }

  /** Gives the connection up for `reason`. */
  abandon(reason: VectordocError): void {
    this.#end(reason);
    this.#socket.close();
  }

  /** Says goodbye and waits until the server has answered. */
  close(): Promise<void> {
    this.reason = new VectordocError("closed", "this connection was closed");
    return new Promise((resolve) => {
      const late = setTimeout(resolve, CLOSE_MS_MAX);
      this.#socket.addEventListener("close", () => {
        clearTimeout(late);
        resolve();
      });
      this.#socket.close(NORMAL);
    });
  }

  #hear(data: unknown): void {
    if (this.reason !== undefined) {
      return;
    }
    this.heard++;
    let message: Incoming;
    try {
      message = understood(() => incoming(this.#encoding.decode(frameOf(data))));
    } catch (error) {
      return this.abandon(error as VectordocError);
    }
    this.#listener.heard(this, message);
  }

  #end(reason: VectordocError): void {
    if (this.reason === undefined) {
      this.reason = reason;
      this.#listener.ended(this, reason);
    }
  }
}

function construct(
  WebSocket: WebSocketConstructor,
  url: string,
  encoding: Encoding,
): WebSocketLike {
  try {
    const socket = new WebSocket(url, encoding.protocol);
    socket.binaryType = "arraybuffer";
    return socket;
  } catch (cause) {
    throw new VectordocError("invalid", `cannot connect to ${url}: ${String(cause)}`, { cause });
  }
}

function frameOf(data: unknown): Frame {
  return typeof data === "string" ? data : new Uint8Array(data as ArrayBuffer);
}

/** What the first message of a server says about it. */
function helloOf(socket: WebSocketLike, encoding: Encoding, data: unknown): ServerLimits {
  if (socket.protocol !== encoding.protocol) {
    throw new TypeError(`the server speaks "${socket.protocol}"`);
  }
  const hello = incoming(encoding.decode(frameOf(data)));
  if (!("method" in hello) || hello.method !== "hello") {
    throw new TypeError("the first message is no hello");
  }
  return limitsOf(object(object(hello.params)["limits"]));
}

function limitsOf(limits: Fields): ServerLimits {
  const [messageBytesMax, inFlightMax] = [
    count(limits["message_bytes_max"]),
    count(limits["in_flight_max"]),
  ];
  if (messageBytesMax === 0 || inFlightMax === 0) {
    throw new RangeError("a limit is 0");
  }
  return { messageBytesMax, inFlightMax };
}
