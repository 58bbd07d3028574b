import type { Holder } from "./holder.js";
import {
  type Reply,
  type Request,
  type Way,
  clientLock,
  replyChannel,
  requestChannel,
} from "./message.js";

/** The clients in other tabs: what they ask, the ways to them, and when they die. */
export class Guests {
  readonly #holder: Holder;
  readonly #requests: BroadcastChannel;
  readonly #channels = new Map<string, BroadcastChannel>();
  readonly #leaving = new AbortController();

  constructor(
    name: string,
    holder: Holder,
    receive: (request: Request, way: Way<Reply>) => void,
  ) {
    this.#holder = holder;
    this.#requests = new BroadcastChannel(requestChannel(name));
    this.#requests.onmessage = ({ data }: MessageEvent<Request>) =>
      receive(data, { postMessage: (reply) => this.#channel(data.client)?.postMessage(reply) });
  }

  /** Listens no more. */
  refuse(): void {
    this.#requests.close();
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
