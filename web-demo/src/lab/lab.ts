import { bytes, duration, find, grouped, make } from "../page/element";
import type { FromLaboratory, Point } from "./measurement";
import { MEASURES, plot } from "./plot";

/** The section that measures what quantization, `ef` and filters cost and bring, on this device. */
export class Lab {
  readonly #button = find("lab-run", HTMLButtonElement);
  readonly #status = find("lab-status", HTMLElement);
  readonly #progress = find("lab-progress", HTMLProgressElement);
  readonly #series = new Map<string, Point[]>();
  readonly #memory = new Map<string, number>();
  readonly #sourceOf: () => { readonly name: string; readonly part: string | undefined } | undefined;
  #worker: Worker | undefined;

  /** `sourceOf` says which database is to be measured on, and what to filter by. */
  constructor(sourceOf: () => { readonly name: string; readonly part: string | undefined } | undefined) {
    this.#sourceOf = sourceOf;
    this.#button.addEventListener("click", () => (this.#worker ? this.#stop("Stopped.") : this.#run()));
    this.#show();
  }

  #run(): void {
    const source = this.#sourceOf();
    if (source === undefined) {
      this.#status.textContent = "This browser keeps no databases, and the laboratory reads from one.";
      return;
    }
    this.#series.clear();
    this.#memory.clear();
    this.#show();
    this.#button.textContent = "Stop";
    this.#progress.hidden = false;
    const worker = new Worker(new URL("./laboratory.worker.ts", import.meta.url), { type: "module" });
    worker.onmessage = ({ data }: MessageEvent<FromLaboratory>) => this.#take(data);
    worker.onerror = ({ message }) => this.#stop(`It did not work: ${message}`);
    worker.postMessage(source);
    this.#worker = worker;
  }

  #take(news: FromLaboratory): void {
    switch (news.kind) {
      case "phase":
        this.#status.textContent = `${news.words}…`;
        this.#progress.max = Math.max(1, news.total);
        this.#progress.value = news.done;
        return;
      case "point":
        this.#series.set(news.series, [...(this.#series.get(news.series) ?? []), news.point]);
        this.#memory.set(news.series, news.memoryBytes);
        this.#show();
        return;
      case "done":
        this.#stop(`Measured with ${grouped(news.entries)} entries and 50 questions, in this tab.`);
        return;
      case "failed":
        this.#stop(`It did not work: ${news.message}`);
    }
  }

  #stop(words: string): void {
    this.#worker?.terminate();
    this.#worker = undefined;
    this.#button.textContent = "Measure here";
    this.#progress.hidden = true;
    this.#status.textContent = words;
  }

  #show(): void {
    const hasPoints = this.#series.size > 0;
    find("lab-empty", HTMLElement).hidden = hasPoints;
    const plots = hasPoints ? MEASURES.map((measure) => plot(this.#series, measure)) : [];
    find("lab-plot", HTMLElement).replaceChildren(...plots);
    find("lab-legend", HTMLElement).replaceChildren(...[...this.#series.keys()].map((name, number) => this.#key(name, number)));
    const rows = [...this.#series].flatMap(([name, points]) => points.map((point) => row(name, point)));
    find("lab-rows", HTMLElement).replaceChildren(...rows);
    find("lab-table", HTMLElement).hidden = !hasPoints;
  }

  #key(name: string, number: number): HTMLLIElement {
    const memory = `${bytes(this.#memory.get(name) ?? 0)} of memory`;
    return make("li", `series-${number}`, make("strong", "", name), ` ${memory}`);
  }
}

function row(name: string, { ef, recall, visited, milliseconds, plan }: Point): HTMLTableRowElement {
  const cells = [String(ef), `${(recall * 100).toFixed(1)} %`, grouped(Math.round(visited)), duration(milliseconds), plan];
  const head = make("th", "", name);
  head.scope = "row";
  return make("tr", "", head, ...cells.map((text) => make("td", "", text)));
}
