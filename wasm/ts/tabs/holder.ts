import { type ErrorCode, VectordocError } from "../error.js";
import type { Host } from "../host.js";
import type { Outcome } from "../session.js";
import type { Answered } from "./answered.js";
import type { Asked, Refusal, Reply, Request, Way } from "./message.js";

/** What the store answers when it cannot be used any more, at least not without opening it again. */
const LOST: readonly ErrorCode[] = ["unavailable", "closed", "corrupt"];

/** Documents of a write that takes long. */
const LARGE_DOCUMENTS = 4_096;

/** Whoever opened the database, and may have to do so again. */
export interface Keeper {
  /** Because its schema is to follow another. */
  evolve(schema: string): void;
  /** Because its store does not work any more. */
  lose(): void;
  /** All are to hear that the holder is there, and busy. */
  announce(): void;
}

/** What the holder knows of a client. */
interface Guest {
  /** What came of its writes, until it knows. */
  readonly outcomes: Map<number, Promise<Outcome>>;
  /** The documents that came of writes that are not complete. */
  readonly halves: Map<number, object[]>;
}

/** Serves a database to many clients; each write of theirs happens once, however often it is sent. */
export class Holder {
  readonly #host: Host;
  /** Nothing, for a database in memory: it goes with those who ask. */
  readonly #answered: Answered | undefined;
  readonly #keeper: Keeper;
  readonly #guests = new Map<string, Guest>();
  /** Large writes under way. */
  #large = 0;

  constructor(
    host: Host,
    keeper: Keeper,
    answered?: Answered,
    outcomes: ReadonlyMap<string, ReadonlyMap<number, Outcome>> = new Map(),
  ) {
    this.#host = host;
    this.#keeper = keeper;
    this.#answered = answered;
    for (const [client, known] of outcomes) {
      const guest = this.#guest(client);
      known.forEach((outcome, number) => guest.outcomes.set(number, Promise.resolve(outcome)));
    }
  }

  /** Does what a client asks for, and replies. */
  receive({ client, oldest, ...asked }: Request, way: Way<Reply>): void {
    const guest = this.#guest(client);
    for (const number of guest.outcomes.keys()) {
      if (number < oldest) {
        guest.outcomes.delete(number);
        this.#answered?.forget(client, number);
      }
    }
    if (asked.kind === "slice") {
      way.postMessage(take(guest, asked));
    } else if (asked.kind !== "ping") {
      void this.#reply(client, guest, asked, way);
    }
  }

  /** Drops what a dead client did not send to its end. */
  bury(client: string): void {
    this.#guest(client).halves.clear();
  }

  /** Whether it is at a write so large that it may not say a word for long. */
  get isBusy(): boolean {
    return this.#large > 0;
  }

  #mind(outcome: Promise<unknown>, docs: number): void {
    if (docs >= LARGE_DOCUMENTS) {
      this.#large += 1;
      this.#keeper.announce();
      const done = () => (this.#large -= 1);
      outcome.then(done, done);
    }
  }

  #guest(client: string): Guest {
    const known = this.#guests.get(client);
    if (known !== undefined) {
      return known;
    }
    const guest = { outcomes: new Map(), halves: new Map() };
    this.#guests.set(client, guest);
    return guest;
  }

  async #reply(
    client: string,
    guest: Guest,
    asked: Exclude<Asked, { kind: "ping" | "slice" }>,
    way: Way<Reply>,
  ): Promise<void> {
    const { number } = asked;
    try {
      const answer = await this.#answer(client, guest, asked, way);
      way.postMessage({ kind: "answer", number, answer });
    } catch (thrown) {
      const error = refusalOf(thrown);
      if (thrown instanceof Again) {
        way.postMessage({ kind: "again", number, round: thrown.round });
      } else if (asked.kind !== "open" && LOST.includes(error.code)) {
        // The client asks again once the store is open again; then it is known what happened.
        this.#keeper.lose();
      } else if (!(thrown instanceof Reopening)) {
        way.postMessage({ kind: "refusal", number, error });
      }
    }
  }

  async #answer(
    client: string,
    guest: Guest,
    asked: Exclude<Asked, { kind: "ping" | "slice" }>,
    way: Way<Reply>,
  ): Promise<unknown> {
    const { number } = asked;
    switch (asked.kind) {
      case "open":
        return this.#follow(asked.schema);
      case "read":
        return this.#host.ask(asked.verb, asked.question);
      case "part":
        return this.#host.answer(asked.question);
      case "export":
        return this.#host.export();
      case "settle":
        return this.#host.settle((progress) =>
          way.postMessage({ kind: "progress", number, progress }),
        );
      case "write":
        return this.#write(client, guest, asked);
    }
  }

  #follow(schema: string | undefined): void {
    if (schema !== undefined && this.#host.changesTo(schema).length > 0) {
      this.#keeper.evolve(schema);
      throw new Reopening();
    }
  }

  #write(
    client: string,
    { outcomes, halves }: Guest,
    { number, round, change, sliced }: Extract<Asked, { kind: "write" }>,
  ): Promise<Outcome> {
    const known = outcomes.get(number);
    if (known !== undefined) {
      return known;
    }
    const docs = halves.get(number) ?? [];
    halves.delete(number);
    if (docs.length !== sliced) {
      throw new Again(round);
    }
    const whole = "docs" in change && sliced > 0 ? { ...change, docs } : change;
    const answered = this.#answered;
    const entryOf = answered && ((outcome: Outcome) => answered.entry(client, number, outcome));
    const outcome = this.#host.write(whole, undefined, entryOf);
    outcomes.set(number, outcome);
    outcome.catch(() => outcomes.delete(number));
    this.#mind(outcome, sliced);
    return outcome;
  }
}

/** An error as it crosses. */
export function refusalOf(thrown: unknown): Refusal {
  return thrown instanceof VectordocError
    ? { code: thrown.code, message: thrown.message }
    : { code: "internal", message: String(thrown) };
}

/** Parts of a write did not come. */
class Again extends Error {
  readonly round: number;

  constructor(round: number) {
    super();
    this.round = round;
  }
}

/** The client is answered after the database was opened again. */
class Reopening extends Error {}

/** Keeps documents until the write they are part of is complete. */
function take(
  { halves }: Guest,
  { number, round, at, docs }: Extract<Asked, { kind: "slice" }>,
): Reply {
  const before = at === 0 ? [] : (halves.get(number) ?? []);
  if (before.length !== at) {
    return { kind: "again", number, round };
  }
  before.push(...docs);
  halves.set(number, before);
  return { kind: "taken", number, docs: before.length };
}
