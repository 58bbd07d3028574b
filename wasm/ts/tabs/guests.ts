import type { Holder } from "./holder.js";
import { type Reply, type Way, clientLock, replyChannel } from "./message.js";

/** The clients in other tabs, and the ways to them. */
export class Guests {
  readonly #holder: Holder;
  readonly #channels = new Map<string, BroadcastChannel>();
  readonly #leaving = new AbortController();

  constructor(holder: Holder) {
    this.#holder = holder;
  }

  /** A way to a client; who gets no more through it is gone. */
  wayTo(client: string): Way<Reply> {
    return { postMessage: (reply) => this.#channel(client)?.postMessage(reply) };
  }

  /** Lets go of all. */
  leave(): void {
    this.#leaving.abort();
    this.#channels.forEach((channel) => channel.close());
    this.#channels.clear();
  }

  #channel(client: string): BroadcastChannel | undefined {
    const known = this.#channels.get(client);
    if (known !== undefined || this.#leaving.signal.aborted) {
      return known;
    }
    const channel = new BroadcastChannel(replyChannel(client));
    this.#channels.set(client, channel);
    this.#watch(client, channel).catch(() => undefined);
    return channel;
  }

  /** Waits until the lock of a client is free: then it is dead, or comes back and says so. */
  async #watch(client: string, channel: BroadcastChannel): Promise<void> {
    await navigator.locks.request(clientLock(client), { signal: this.#leaving.signal }, () => {
      this.#holder.bury(client);
      this.#channels.delete(client);
      channel.close();
    });
  }
}
