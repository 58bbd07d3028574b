import { Database } from "./database.js";
import { VectordocError } from "./error.js";
import { refuseUnknown } from "./options.js";
import { ENCODINGS } from "./remote/encoding.js";
import { Link } from "./remote/link.js";
import { RemoteSession } from "./remote/session.js";
import { type WebSocketConstructor, serviceUrl } from "./remote/socket.js";
import type { DocumentOf, FilterableOf, IdNameOf, Schema } from "./schema.js";

/** How long a request may take that does not say. */
const TIMEOUT_MS = 60_000;
/** The longest that timers can wait. */
const TIMEOUT_MS_MAX = 2 ** 31 - 1;

/** How a database of a server is reached. */
export interface ConnectOptions<S extends Schema = Schema> {
  /** The name of the database on the server. */
  readonly db: string;
  /**
   * What documents look like. With it the database is created when it is missing; `conflict` when
   * there is one of another schema.
   */
  readonly schema?: S;
  /** The key that the server asks for, if it does. */
  readonly apiKey?: string;
  /** How messages are written: `"cbor"` unless given, which is shorter and faster than `"json"`. */
  readonly encoding?: keyof typeof ENCODINGS;
  /**
   * Milliseconds after which a request rejects as `unavailable`, connecting again included; 60,000
   * unless given.
   */
  readonly timeoutMs?: number;
  /** A WebSocket for where there is none, as in Node before version 22. */
  readonly WebSocket?: WebSocketConstructor;
}

/** Connects to a database of a server. */
export interface Connect {
  /** Connects to a database, which is created when missing; documents have the types of the schema. */
  <const S extends Schema>(
    url: string,
    options: ConnectOptions<S> & { readonly schema: S },
  ): Promise<Database<DocumentOf<S>, IdNameOf<S> & keyof DocumentOf<S>, FilterableOf<S>>>;
  /** The same for documents of a type that is given: `connect<Product>(…)`. */
  <Doc extends object>(url: string, options: ConnectOptions): Promise<Database<Doc>>;
}

/**
 * Connects to a database of the server at `url`: `wss://host`, or `ws://localhost:7700`. Loads no
 * engine. A connection that is lost is replaced; reads, and writes that come out the same when they
 * are done twice, are then asked again, and other writes reject as `unavailable`.
 */
export const connect: Connect = (async (url: string, options: ConnectOptions) => {
  refuseUnknown(options, ["db", "schema", "apiKey", "encoding", "timeoutMs", "WebSocket"]);
  const { db, schema, apiKey, encoding = "cbor", timeoutMs = TIMEOUT_MS } = options;
  const WebSocket = options.WebSocket ?? (globalThis.WebSocket as WebSocketConstructor | undefined);
  check(typeof db === "string", `db is the name of a database, not ${String(db)}`);
  check(Object.hasOwn(ENCODINGS, encoding), `encoding is "cbor" or "json", not "${encoding}"`);
  check(apiKey === undefined || typeof apiKey === "string", "apiKey is a text");
  check(timeoutMs > 0 && timeoutMs <= TIMEOUT_MS_MAX, `timeoutMs is no time: ${timeoutMs}`);
  if (WebSocket === undefined) {
    const message = "there is no WebSocket here (Node has one from version 22 on); give one";
    throw new VectordocError("unsupported", `${message} as options.WebSocket`);
  }
  const server = { url: serviceUrl(url), encoding: ENCODINGS[encoding], WebSocket };
  const link = await Link.open({ ...server, apiKey, timeoutMs });
  try {
    return new Database(db, await RemoteSession.open(link, db, schema));
  } catch (error) {
    await link.close();
    throw error;
  }
}) as Connect;

/** Refuses an option that is not what it must be. */
function check(isRight: boolean, message: string): void {
  if (!isRight) {
    throw new VectordocError("invalid", message);
  }
}
