import type { Embedder } from "../embedding/embedder";
import { bytes, find, grouped, messageOf } from "../page/element";
import { DRAFTS_MAX, type Draft, draftsOf } from "./draft";
import { OWN, type Own } from "./own";
import { type Place, pull, push } from "./server";

/** Texts that the model takes at a time. */
const EMBED_BATCH = 16;
const FILE_BYTES_MAX = 64 * 1024 * 1024;

/** The section for the visitor's own entries: drop, watch, keep, export, push and pull. */
export class Yours {
  readonly #own: Own;
  readonly #embedder: Embedder;
  readonly #status = find("yours-status", HTMLElement);
  readonly #progress = find("yours-progress", HTMLProgressElement);
  readonly #drop = find("drop", HTMLElement);
  readonly #file = find("yours-file", HTMLInputElement);
  readonly #onExplore: () => void;
  #isBusy = false;

  constructor(own: Own, embedder: Embedder, onExplore: () => void) {
    this.#own = own;
    this.#embedder = embedder;
    this.#onExplore = onExplore;
    this.#listen();
  }

  /** Shows how many entries there are. */
  async refresh(): Promise<void> {
    const corpus = await this.#own.find();
    const count = (await corpus?.count()) ?? 0;
    find("yours-count", HTMLElement).textContent =
      count === 0 ? "Nothing of yours is here yet." : `${grouped(count)} entries of yours rest in this browser.`;
    for (const id of ["yours-explore", "yours-export", "yours-clear", "server-push"]) {
      find(id, HTMLButtonElement).disabled = count === 0;
    }
  }

  #listen(): void {
    this.#file.addEventListener("change", () => {
      const [file] = this.#file.files ?? [];
      if (file) void this.#work(() => this.#add(file));
      this.#file.value = "";
    });
    this.#drop.addEventListener("dragover", (event) => {
      event.preventDefault();
      this.#drop.classList.add("is-over");
    });
    this.#drop.addEventListener("dragleave", () => this.#drop.classList.remove("is-over"));
    this.#drop.addEventListener("drop", (event) => {
      event.preventDefault();
      this.#drop.classList.remove("is-over");
      const [file] = event.dataTransfer?.files ?? [];
      if (file) void this.#work(() => this.#add(file));
    });
    const click = (id: string, act: () => Promise<string>) =>
      find(id, HTMLButtonElement).addEventListener("click", () => void this.#work(act));
    find("yours-explore", HTMLButtonElement).addEventListener("click", () => this.#onExplore());
    click("yours-export", () => this.#export());
    click("yours-clear", () => this.#clear());
    click("server-push", () => this.#push());
    find("server", HTMLFormElement).addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#work(() => this.#pull());
    });
  }

  /** Does one thing at a time, and says how it went. */
  async #work(act: () => Promise<string>): Promise<void> {
    if (this.#isBusy) {
      this.#say("One moment: something else is still going on.");
      return;
    }
    this.#isBusy = true;
    this.#status.classList.remove("is-wrong");
    try {
      this.#say(await act());
    } catch (error) {
      this.#status.classList.add("is-wrong");
      this.#say(messageOf(error));
    } finally {
      this.#isBusy = false;
      this.#progress.hidden = true;
      await this.refresh();
    }
  }

  async #add(file: File): Promise<string> {
    if (file.size > FILE_BYTES_MAX) {
      throw new Error(`${file.name} has ${bytes(file.size)}, and ${bytes(FILE_BYTES_MAX)} is the most; divide it`);
    }
    if (file.name.endsWith(".vectordoc")) return this.#restore(file);
    return this.#index(draftsOf(file.name, await file.text()), file.name);
  }

  async #restore(file: File): Promise<string> {
    if (((await this.#own.corpus?.count()) ?? 0) > 0) {
      throw new Error(`${file.name} is a whole database; export yours if you want to keep them, and remove them first`);
    }
    await this.#own.restore(file);
    return `Restored from ${file.name}.`;
  }

  async #index(drafts: readonly Draft[], source: string): Promise<string> {
    const whole = await this.#embedded(drafts);
    const started = performance.now();
    await this.#own.add(whole, source, (done) => this.#tell("Indexing", done, whole.length));
    const seconds = ((performance.now() - started) / 1_000).toFixed(1);
    return `${grouped(whole.length)} entries of ${source} are indexed, in ${seconds} s. They stay: reload and see.`;
  }

  /** The drafts with a vector for each; the model makes those that are missing. */
  async #embedded(drafts: readonly Draft[]): Promise<Required<Draft>[]> {
    const missing = drafts.filter(({ embedding }) => embedding === undefined);
    const made = new Map<Draft, Float32Array>();
    this.#embedder.onProgress = ({ done, total }) => this.#tell("Fetching the model", done, total);
    for (let at = 0; at < missing.length; at += EMBED_BATCH) {
      const batch = missing.slice(at, at + EMBED_BATCH);
      if (this.#embedder.isReady || at > 0) this.#tell("Embedding", at, missing.length);
      else this.#tell("Fetching the model", 0, 0);
      const vectors = await this.#embedder.embed(batch.map(({ title, text }) => (text.startsWith(title.replace("…", "")) ? text : `${title}: ${text}`)));
      batch.forEach((draft, number) => made.set(draft, vectors[number] as Float32Array));
    }
    return drafts.map((draft) => ({ ...draft, embedding: draft.embedding ?? made.get(draft) }));
  }

  async #export(): Promise<string> {
    const archive = await this.#own.corpus?.db.export();
    if (archive === undefined) throw new Error("there is nothing to export");
    const url = URL.createObjectURL(archive as Blob);
    const link = document.createElement("a");
    link.href = url;
    link.download = `${OWN}.vectordoc`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
    return `Exported ${bytes(archive.size)}: drop the file here, or give it to “vectordoc restore”.`;
  }

  async #clear(): Promise<string> {
    await this.#own.clear();
    return "Removed from this browser.";
  }

  async #push(): Promise<string> {
    const corpus = this.#own.corpus;
    if (corpus === undefined) throw new Error("there is nothing to push");
    const place = this.#place();
    const done = await push(corpus, place, ({ done, total }) => this.#tell("Pushing", done, total));
    return `${grouped(done)} entries are in “${place.db}” at ${place.url}.`;
  }

  async #pull(): Promise<string> {
    const place = this.#place();
    const drafts = await pull(place, DRAFTS_MAX, ({ done, total }) => this.#tell("Pulling", done, total));
    if (drafts.length === 0) throw new Error(`“${place.db}” at ${place.url} is empty`);
    return this.#index(drafts, place.db);
  }

  #place(): Place {
    const value = (id: string) => find(id, HTMLInputElement).value.trim();
    const [url, db, key] = [value("server-url"), value("server-db"), value("server-key")];
    if (!/^wss?:\/\//.test(url)) throw new Error(`a server is at ws://… or wss://…, not at “${url}”`);
    if (db === "") throw new Error("say which database of the server");
    return { url, db, apiKey: key === "" ? undefined : key };
  }

  #tell(words: string, done: number, total: number): void {
    this.#progress.hidden = false;
    if (total > 0) {
      this.#progress.max = total;
      this.#progress.value = done;
    } else {
      this.#progress.removeAttribute("value");
    }
    this.#say(`${words}…`);
  }

  #say(words: string): void {
    this.#status.textContent = words;
  }
}
