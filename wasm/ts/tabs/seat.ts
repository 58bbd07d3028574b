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

/** Candidates in workers of their own, for pages. */
export function inWorkers(start: () => Worker): Seats {
  return {
    areApart: true,
    take(candidacy, onCrash) {
      const worker = start();
      const { port1: port, port2 } = new MessageChannel();
      worker.onerror = (event) => onCrash(event.message ?? "its script could not be loaded");
      worker.onmessageerror = port.onmessageerror = () => onCrash("a message could not be read");
      worker.postMessage({ candidacy, port: port2 }, [port2]);
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
