import type { ModuleSource } from "../engine.js";
import type { Host } from "../host.js";
import type { Load } from "../open.js";
import { Candidate } from "./candidate.js";
import type { Candidacy } from "./message.js";

/** A candidate where it runs. */
export interface Seat {
  readonly port: MessagePort;
  /** The database, if the candidate holds it and is in this thread. */
  host?(): Host | undefined;
  /** Ends it, whatever it does. */
  leave(): void;
}

/** Starts candidates. */
export interface Seats {
  /** Whether a candidate runs where the engine of one that trapped does no harm. */
  readonly areApart: boolean;
  /** Starts one; `onCrash` is called when it dies, with what is known about why. */
  take(candidacy: Candidacy, onCrash: (why: string) => void): Seat;
}

/** What a page sends a worker first. */
export interface Start {
  readonly candidacy: Candidacy;
  readonly port: MessagePort;
}

/** What it sends next: the engine's module, if the worker is not to look for it. */
export interface Brought {
  readonly module: ModuleSource | undefined;
}

/**
 * Candidates in workers of their own, for pages. While a worker starts, `compile` makes the module it
 * will need, or nothing.
 */
export function inWorkers(
  start: () => Worker,
  compile: (candidacy: Candidacy) => Promise<ModuleSource | undefined>,
): Seats {
  return {
    areApart: true,
    take(candidacy, onCrash) {
      const worker = start();
      const { port1: port, port2 } = new MessageChannel();
      worker.onerror = (event) => onCrash(event.message ?? "its script could not be loaded");
      worker.onmessageerror = port.onmessageerror = () => onCrash("a message could not be read");
      const began: Start = { candidacy, port: port2 };
      worker.postMessage(began, [port2]);
      const send = (module: ModuleSource | undefined) => {
        const brought: Brought = { module };
        worker.postMessage(brought);
      };
      // Where it cannot be compiled here, the worker says why.
      void compile(candidacy).then(send, () => send(undefined));
      return { port, leave: () => worker.terminate() };
    },
  };
}

/** Candidates in this thread, for workers. */
export function inPlace(load: Load): Seats {
  return {
    areApart: false,
    take(candidacy) {
      const { port1: port, port2 } = new MessageChannel();
      const candidate = new Candidate(load, candidacy, port2);
      return { port, host: () => candidate.host, leave: () => candidate.leave() };
    },
  };
}
