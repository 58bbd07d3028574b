// The page as tests meet it: in any of the browsers, by functions that run in it.

import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { launch } from "../../wasm/test/browsers/launch.mjs";

/** Where to keep pictures of the page; none are kept unless it is given. */
const PICTURES = process.env.PICTURES;
/** Milliseconds after which something will not come any more, less than browsers run scripts. */
const WAIT_MS = 110_000;

/** A browser with the page, and what tests do with it. */
export class Page {
  constructor(browser, name) {
    this.browser = browser;
    this.name = name;
  }

  static async launch(name) {
    return new Page(await launch(name), name);
  }

  /** Opens the page and waits for its first answer. */
  async open(url) {
    await this.browser.open(url);
    await this.ready();
  }

  async reload() {
    await this.browser.reload();
    await this.ready();
  }

  /** Waits until everything is indexed. */
  async ready() {
    await this.untilText("#status", "first answer after");
  }

  run(task, ...args) {
    return this.browser.run(task, ...args);
  }

  text(selector) {
    return this.run((selector) => document.querySelector(selector)?.textContent ?? "", selector);
  }

  texts(selector) {
    return this.run((selector) => [...document.querySelectorAll(selector)].map((found) => found.textContent), selector);
  }

  click(selector) {
    return this.run((selector) => document.querySelector(selector).click(), selector);
  }

  /** Waits until an element has a text. */
  async untilText(selector, text) {
    const found = await this.run(
      async (selector, text, wait) => {
        const until = performance.now() + wait;
        for (;;) {
          const found = document.querySelector(selector)?.textContent ?? "";
          if (found.includes(text)) return undefined;
          if (performance.now() > until) return found;
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
      },
      selector,
      text,
      WAIT_MS,
    );
    if (found !== undefined && found !== null) throw new Error(`${selector} has not come to have "${text}", it has "${found}"`);
  }

  /** Sets the value of a field as typing or dragging does. */
  set(selector, value, event = "input") {
    return this.run(
      (selector, value, event) => {
        const field = document.querySelector(selector);
        field.value = value;
        field.dispatchEvent(new Event(event, { bubbles: true }));
      },
      selector,
      value,
      event,
    );
  }

  press(selector, key) {
    return this.run(
      (selector, key) =>
        document.querySelector(selector).dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true })),
      selector,
      key,
    );
  }

  /** Drops a file on the section for the visitor's own. */
  drop(name, content) {
    return this.run(
      (name, content) => {
        const transfer = new DataTransfer();
        transfer.items.add(new File([content], name));
        const drop = document.querySelector("#drop");
        const event = new DragEvent("drop", { bubbles: true, cancelable: true, dataTransfer: transfer });
        // Where events made by scripts carry no files, the field takes them.
        if (event.dataTransfer?.files.length) {
          drop.dispatchEvent(event);
        } else {
          const field = document.querySelector("#yours-file");
          field.files = transfer.files;
          field.dispatchEvent(new Event("change"));
        }
      },
      name,
      content,
    );
  }

  async picture(name) {
    if (PICTURES === undefined) return;
    await mkdir(PICTURES, { recursive: true });
    await new Promise((resolve) => setTimeout(resolve, 700));
    await writeFile(join(PICTURES, `${name}-${this.name}.png`), await this.browser.screenshot());
  }

  close() {
    return this.browser.close();
  }
}

/** Waits until the map is painted in more than a few colours; runs in the page. */
export async function painted() {
  const canvas = document.querySelector("#map-points");
  let colours = 0;
  for (const until = performance.now() + 20_000; performance.now() < until; ) {
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    colours = new Set(new Uint32Array(data.buffer)).size;
    if (colours > 20) return;
    // Not for the next frame: a browser that nobody looks at may paint none.
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`the map of ${canvas.width} by ${canvas.height} pixels has ${colours} colours`);
}

/** Waits until the map moves no more, and shows something else than `before`; runs in the page. */
export async function settled(before) {
  const canvas = document.querySelector("#map-points");
  const shown = () => {
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    return new Uint32Array(data.buffer).reduce((hash, pixel) => (hash * 31 + pixel) | 0, 7);
  };
  let last;
  for (const until = performance.now() + 20_000; performance.now() < until; ) {
    const now = shown();
    if (now === last && now !== before) return now;
    last = now;
    await new Promise((resolve) => setTimeout(resolve, 400));
  }
  throw new Error(before === last ? "the map shows the same as before" : "the map does not come to rest");
}
