// WebKit, as its port to GTK in the browser that comes with its driver, by WebDriver over HTTP.

import { spawn } from "node:child_process";
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

const DRIVER = process.env.WEBKIT_DRIVER ?? "/usr/bin/WebKitWebDriver";
const BROWSER = process.env.WEBKIT ?? `/usr/lib/${machine()}-linux-gnu/webkit2gtk-4.1/MiniBrowser`;
/** Milliseconds after which the driver will not start any more. */
const STARTS_MS = 30_000;
/** Milliseconds after which a script hangs. */
const HANGS_MS = 120_000;

/** Starts it with nothing stored; it keeps what is stored until it is closed. */
export async function launchWebKit() {
  const port = await freePort();
  // In a group of its own, as the virtual display and the browser are its children.
  const driver = spawn("xvfb-run", ["--auto-servernum", DRIVER, `--port=${port}`], {
    detached: true,
    stdio: "ignore",
    env: { ...process.env, WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS: "1" },
  });
  const ended = new Promise((resolve) => driver.once("close", resolve).once("error", resolve));
  const stop = async () => {
    if (driver.pid !== undefined && driver.exitCode === null) process.kill(-driver.pid);
    await ended;
  };
  try {
    await untilReady(port, driver);
    return await openSession(`http://127.0.0.1:${port}/session`, stop);
  } catch (error) {
    await stop();
    throw error;
  }
}

async function openSession(sessions, stop) {
  const { sessionId, capabilities } = await call("POST", sessions, {
    capabilities: {
      alwaysMatch: {
        "webkitgtk:browserOptions": { binary: BROWSER, args: ["--automation"] },
        timeouts: { script: HANGS_MS },
      },
    },
  });
  const session = `${sessions}/${sessionId}`;
  const run = async (task, ...args) => {
    const script = `const [args, done] = arguments;
      Promise.resolve((${task})(...args)).then(
        (value) => done({ value }),
        (error) => done({ error: [error, error.stack].join("\\n") }));`;
    const answer = await call("POST", `${session}/execute/async`, { script, args: [args] });
    if (answer.error !== undefined) throw new Error(answer.error);
    return answer.value;
  };
  const navigate = async (how, body) => {
    await call("POST", `${session}/${how}`, body);
    // The driver has the answer before modules have run.
    await run(untilLoaded);
  };
  return {
    version: `WebKitGTK ${capabilities.browserVersion}`,
    open: (url) => navigate("url", { url }),
    reload: () => navigate("refresh", {}),
    run,
    resize: (width, height) => call("POST", `${session}/window/rect`, { width, height }),
    screenshot: async () => Buffer.from(await call("GET", `${session}/screenshot`), "base64"),
    async close() {
      await call("DELETE", session);
      await stop();
    },
  };
}

/** Runs in the page. */
function untilLoaded() {
  return new Promise((resolve) => {
    if (document.readyState === "complete") resolve();
    else addEventListener("load", () => resolve());
  });
}

async function call(method, url, body) {
  const response = await fetch(url, { method, body: body && JSON.stringify(body) });
  const { value } = await response.json();
  if (!response.ok) throw new Error(`${method} ${url}: ${value.error}: ${value.message}`);
  return value;
}

async function untilReady(port, driver) {
  const until = Date.now() + STARTS_MS;
  for (;;) {
    const isReady = await call("GET", `http://127.0.0.1:${port}/status`).then(
      ({ ready }) => ready,
      () => false,
    );
    if (isReady) return;
    if (driver.pid === undefined || driver.exitCode !== null || Date.now() > until) {
      throw new Error(
        `${DRIVER} does not start; it is in Debian's webkit2gtk-driver, xvfb-run in xvfb`,
      );
    }
    await sleep(50);
  }
}

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/** The name of this machine's kind, as Debian has it. */
function machine() {
  return { x64: "x86_64", arm64: "aarch64" }[process.arch];
}
