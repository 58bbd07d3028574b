// A server for the tests: the program `vectordoc`, as `cargo build -p vectordoc-server` makes it, or
// the one that the environment variable VECTORDOC names.

import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { WebSocket as WebSocketOfWs } from "ws";

const TARGET = process.env.CARGO_TARGET_DIR ?? fileURLToPath(new URL("../../../target", import.meta.url));
export const PROGRAM = process.env.VECTORDOC ?? join(TARGET, "debug", "vectordoc");

/** The WebSocket of this runtime; Node 20 has none. */
export const WebSocket = globalThis.WebSocket ?? WebSocketOfWs;
export const ENCODINGS = ["cbor", "json"];

/** A server of a directory, unless given one of its own; gone with the test. */
export async function startServer(test, directory) {
  if (!existsSync(PROGRAM)) {
    throw new Error(`${PROGRAM} is missing; build it: cargo build -p vectordoc-server`);
  }
  const server = new Server(directory ?? (await mkdtemp(join(tmpdir(), "vectordoc-"))));
  test.after(() => server.remove());
  await server.start();
  return server;
}

class Server {
  #directory;
  #process;
  #port = 0;

  constructor(directory) {
    this.#directory = directory;
  }

  get url() {
    return `ws://127.0.0.1:${this.#port}`;
  }

  /** Starts it, or starts it again at the same port. */
  async start() {
    const args = ["serve", "--data", this.#directory, "--listen", `127.0.0.1:${this.#port}`];
    this.#process = spawn(PROGRAM, args, { stdio: ["ignore", "pipe", "inherit"] });
    for await (const line of createInterface(this.#process.stdout)) {
      const port = /ws:\/\/127\.0\.0\.1:(\d+)/.exec(line)?.[1];
      if (port !== undefined) {
        this.#port = Number(port);
        this.#process.stdout.resume();
        return;
      }
    }
    throw new Error("the server did not start");
  }

  /** Asks it to stop, or ends it at once. */
  async stop(signal = "SIGTERM") {
    const ended = new Promise((resolve) => this.#process.once("exit", resolve));
    this.#process.kill(signal);
    await ended;
  }

  async remove() {
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      await this.stop("SIGKILL");
    }
    await rm(this.#directory, { recursive: true, force: true });
  }
}
