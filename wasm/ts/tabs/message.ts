import type { ErrorCode } from "../error.js";
import type { Progress } from "../options.js";
import type { Schema } from "../schema.js";
import type { Change, Questions, Verb } from "../session.js";
import type { Place as Shard } from "../shard.js";

/** Where a database rests, by name. */
export type Place = "indexeddb" | "memory";

/** What a write waits for: the browser, or the disk. */
export type Durability = "relaxed" | "strict";

/** A database to open. */
export interface Opening {
  readonly name: string;
  readonly place: Place;
  readonly durability: Durability;
  /** As JSON text; none to open one that exists as it is. */
  readonly schema: string | undefined;
  /** Which shard it is of a database that is divided. */
  readonly shard?: Shard;
  /** The engine's module, compiled, if it is not to be looked for. */
  readonly module?: object | undefined;
}

/** What a client tells the candidate that it starts. */
export interface Candidacy extends Opening {
  readonly client: string;
  /** Whether there must be a database: it is lost if there is none. */
  readonly isKnown: boolean;
}

/** What a client sends to the candidate it started; the answer to `bye` has its number. */
export type Order = { readonly kind: "known" } | { readonly kind: "bye"; readonly number: number };

/** What a client sends to whoever holds its database. */
export type Request = {
  readonly client: string;
  /** The lowest number that is not answered: what is told about those below can be forgotten. */
  readonly oldest: number;
} & Asked;

/** What is asked; what has a number is answered with it. */
export type Asked =
  /** Asks the holder to say that it is there. */
  | { readonly kind: "ping" }
  /** Asks for the database with a schema that it is to follow. */
  | { readonly kind: "open"; readonly number: number; readonly schema: string | undefined }
  | {
      readonly kind: "read";
      readonly number: number;
      readonly verb: Verb;
      readonly question: Questions[Verb];
    }
  /** Some of the documents of a write: `at` counts those before. */
  | {
      readonly kind: "slice";
      readonly number: number;
      readonly round: number;
      readonly at: number;
      readonly docs: readonly object[];
    }
  /** A change; if `sliced` is not 0, as many documents came before it and none with it. */
  | {
      readonly kind: "write";
      readonly number: number;
      /** How often it was sent, with its slices. */
      readonly round: number;
      readonly change: Change;
      readonly sliced: number;
    }
  /** What a request to all shards asks this one. */
  | { readonly kind: "part"; readonly number: number; readonly question: Uint8Array }
  | { readonly kind: "export"; readonly number: number }
  | { readonly kind: "settle"; readonly number: number };

/** What a client is sent. */
export type Reply =
  /** By its candidate, first: the lock of the client is held. */
  | { readonly kind: "standing" }
  /** By its candidate: it is there, and holds nothing. */
  | { readonly kind: "waiting" }
  /** By a candidate that begins to open the database, which can take long. */
  | { readonly kind: "opening" }
  | Up
  /** By its candidate: the database could not be opened. */
  | { readonly kind: "down"; readonly error: Refusal }
  /** By its candidate, which is the holder: the engine trapped, this thread is of no more use. */
  | { readonly kind: "trapped"; readonly error: Refusal }
  | { readonly kind: "answer"; readonly number: number; readonly answer: unknown }
  | { readonly kind: "refusal"; readonly number: number; readonly error: Refusal }
  /** Documents of a write that have come. */
  | { readonly kind: "taken"; readonly number: number; readonly docs: number }
  /** Something before this did not come: the write is to be sent from its beginning. */
  | { readonly kind: "again"; readonly number: number; readonly round: number }
  | { readonly kind: "progress"; readonly number: number; readonly progress: Progress };

/** By the holder: it is there. */
export interface Up {
  readonly kind: "up";
  /** A name that no other holder has. */
  readonly holder: string;
  /** Whose candidate it is. */
  readonly client: string;
  readonly schema: Schema;
  /** Whether it does something that can take long. */
  readonly isBusy: boolean;
}

/** An error as it crosses. */
export interface Refusal {
  readonly code: ErrorCode;
  readonly message: string;
}

/** Whatever takes messages: a port, or a channel that other tabs listen to. */
export interface Way<Message> {
  postMessage(message: Message): void;
}

/** A name that nobody else has; also where a page is not secure. */
export function ownName(): string {
  return [...crypto.getRandomValues(new Uint32Array(4))].map((part) => part.toString(36)).join("");
}

/** The name of the lock that the holder of a database has. */
export const holderLock = (name: string): string => `vectordoc/${name}`;
/** The name of the lock that says that a client is alive. */
export const clientLock = (client: string): string => `vectordoc-client/${client}`;
/** The name of the channel that brings requests to the holder. */
export const requestChannel = (name: string): string => `vectordoc/${name}/requests`;
/** The name of the channel on which the holder speaks to all clients. */
export const newsChannel = (name: string): string => `vectordoc/${name}/news`;
/** The name of the channel that brings replies to a client. */
export const replyChannel = (client: string): string => `vectordoc-client/${client}`;
