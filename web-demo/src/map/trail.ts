import type { Hop } from "vectordoc";
import { find, grouped, isStill, make } from "../page/element";
import type { Trail } from "./overlay";

/** A search's way is shown in about this long, however many steps it has. */
const SHOW_MS = 7_000;
const STEP_MS_MAX = 450;
const STEP_MS_MIN = 45;

/** The way of a search through the graph, step by step, under the control of the visitor. */
export class TrailPlayer {
  readonly #play = find("trail-play", HTMLButtonElement);
  readonly #step = find("trail-step", HTMLInputElement);
  readonly #words = find("trail-words", HTMLElement);
  readonly #levels = find("trail-levels", HTMLElement);
  readonly #placeOf: (id: unknown) => number | undefined;
  readonly #onShow: (trail: Trail | undefined, whole: readonly number[]) => void;
  #hops: readonly Hop[] = [];
  /** Whether the search went this way, and did not rather compare with everything. */
  #isTaken = true;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    placeOf: (id: unknown) => number | undefined,
    onShow: (trail: Trail | undefined, whole: readonly number[]) => void,
  ) {
    this.#placeOf = placeOf;
    this.#onShow = onShow;
    this.#play.addEventListener("click", () => this.#toggle());
    this.#step.addEventListener("input", () => {
      this.#stop();
      this.#show();
    });
  }

  /** Has the way of another search, whether or not the search took it; none of it is shown yet. */
  load(hops: readonly Hop[], isTaken: boolean): void {
    this.#stop();
    this.#hops = hops;
    this.#isTaken = isTaken;
    const isThere = hops.length > 0;
    this.#play.disabled = !isThere;
    this.#step.disabled = !isThere;
    this.#step.max = String(hops.length);
    this.#step.value = "0";
    this.#levels.replaceChildren(...levelsOf(hops).map(chip));
    this.#describe(0);
  }

  #toggle(): void {
    if (this.#timer !== undefined) {
      this.#stop();
      return;
    }
    if (Number(this.#step.value) >= this.#hops.length) this.#step.value = "0";
    if (isStill()) {
      this.#step.value = String(this.#hops.length);
      this.#show();
      return;
    }
    this.#play.textContent = "Pause";
    this.#play.setAttribute("aria-pressed", "true");
    this.#advance();
  }

  #advance(): void {
    const step = Number(this.#step.value) + 1;
    this.#step.value = String(step);
    this.#show();
    if (step >= this.#hops.length) {
      this.#stop();
      return;
    }
    const isLowest = this.#hops[step]?.level === 0;
    const even = SHOW_MS / this.#hops.length;
    const wait = isLowest ? Math.min(STEP_MS_MAX, Math.max(STEP_MS_MIN, even)) : STEP_MS_MAX;
    this.#timer = setTimeout(() => this.#advance(), wait);
  }

  #stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#play.textContent = "Play the search";
    this.#play.setAttribute("aria-pressed", "false");
  }

  #show(): void {
    const step = Number(this.#step.value);
    this.#describe(step);
    const whole = this.#placesOf(this.#hops.map(({ at }) => at));
    this.#onShow(step === 0 ? undefined : this.#trailOf(step), whole);
  }

  #placesOf(ids: readonly unknown[]): number[] {
    const isPlace = (place: number | undefined): place is number => place !== undefined;
    return ids.map(this.#placeOf).filter(isPlace);
  }

  #trailOf(step: number): Trail {
    const placesOf = (ids: readonly unknown[]) => this.#placesOf(ids);
    const before = this.#hops.slice(0, step - 1);
    const last = this.#hops[step - 1] as Hop;
    const followed = [...before, last].map(({ at }) => at);
    const found = new Map<unknown, unknown>(
      before.flatMap(({ at, compared }) => compared.map((id) => [id, at] as const)),
    );
    const links = followed.map((id) => placesOf([found.get(id), id]));
    return {
      compared: placesOf(before.flatMap(({ compared }) => compared)),
      followed: placesOf(followed),
      links: links.filter((link): link is [number, number] => link.length === 2),
      fresh: placesOf(last.compared),
    };
  }

  #describe(step: number): void {
    const hops = this.#hops;
    const last = hops[step - 1];
    const compared = hops.slice(0, step).reduce((sum, hop) => sum + hop.compared.length, 0);
    if (hops.length === 0) {
      this.#words.textContent = "No graph yet: this search compared with every vector.";
    } else if (last === undefined) {
      const total = hops.reduce((sum, hop) => sum + hop.compared.length, 0);
      const way = `${hops.length} steps, ${grouped(total)} comparisons`;
      this.#words.textContent = this.#isTaken ? way : `A scan was cheaper; through the graph it is ${way}.`;
    } else {
      this.#words.textContent = `Step ${step} of ${hops.length}, level ${last.level}: ${grouped(compared)} compared`;
    }
    this.#step.setAttribute("aria-valuetext", this.#words.textContent);
    for (const chip of this.#levels.querySelectorAll("li")) {
      chip.classList.toggle("is-current", last !== undefined && chip.dataset["level"] === String(last.level));
    }
  }
}

/** `[level, steps on it]`, the highest first. */
function levelsOf(hops: readonly Hop[]): [number, number][] {
  const steps = new Map<number, number>();
  hops.forEach(({ level }) => steps.set(level, (steps.get(level) ?? 0) + 1));
  return [...steps];
}

function chip([level, steps]: [number, number]): HTMLLIElement {
  const words = steps === 1 ? "1 step" : `${steps} steps`;
  const chip = make("li", "", make("strong", "", `level ${level}`), ` ${words}`);
  chip.dataset["level"] = String(level);
  return chip;
}
