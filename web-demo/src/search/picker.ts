import type { Atlas } from "../corpus/atlas";
import { partName } from "../corpus/words";
import { find, make } from "../page/element";

const SUGGESTIONS_MAX = 7;

/** What the visitor does with the field. */
export interface Picking {
  /** An entry is looked at. */
  preview(id: number): void;
  /** An entry is chosen. */
  pick(id: number): void;
  /** The text is what is searched for. */
  submit(text: string): void;
  /** The text changed to what no title begins with. */
  type(text: string): void;
}

/**
 * The field in which an entry is picked by its title: a combobox after the pattern of the ARIA
 * Authoring Practices. What is being typed or moved to is previewed; Enter or a click picks it, and
 * the last suggestion, or Enter without one, searches for the text as it is.
 */
export class Picker {
  readonly #input = find("word", HTMLInputElement);
  readonly #list = find("suggestions", HTMLUListElement);
  readonly #on: Picking;
  #atlas: Atlas | undefined;
  /** Titles in lower case, as they are compared. */
  #titles: readonly string[] = [];
  /** Places in the atlas. */
  #suggested: readonly number[] = [];
  #active = -1;

  constructor(on: Picking) {
    this.#on = on;
    this.#input.addEventListener("input", () => this.#suggest());
    this.#input.addEventListener("focus", () => this.#input.select());
    this.#input.addEventListener("blur", () => this.#close());
    this.#input.addEventListener("keydown", (event) => this.#press(event));
    // A press must not take the focus away, which would close the list before the click.
    this.#list.addEventListener("mousedown", (event) => event.preventDefault());
  }

  /** Suggests entries of another corpus. */
  use(atlas: Atlas): void {
    this.#atlas = atlas;
    this.#titles = atlas.titles.map((title) => title.toLowerCase());
    this.#input.disabled = false;
  }

  /** Shows the title of what was picked elsewhere. */
  show(title: string): void {
    this.#input.value = title;
    this.#close();
  }

  #suggest(): void {
    const text = this.#input.value.trim();
    this.#suggested = this.#matches(text.toLowerCase());
    if (text === "") {
      this.#close();
      return;
    }
    const options = [...this.#suggested.map((place) => this.#option(place)), this.#whole(text)];
    options.forEach((option, number) => {
      option.id = `suggestion-${number}`;
      option.role = "option";
    });
    this.#list.replaceChildren(...options);
    this.#list.hidden = false;
    this.#input.setAttribute("aria-expanded", "true");
    this.#activate(0);
  }

  /** Titles that begin with `typed`, the shortest first, then titles that contain it. */
  #matches(typed: string): number[] {
    if (typed === "") return [];
    const [beginning, containing]: [number[], number[]] = [[], []];
    this.#titles.forEach((title, place) => {
      if (title.startsWith(typed)) beginning.push(place);
      else if (title.includes(typed)) containing.push(place);
    });
    const length = (place: number) => (this.#titles[place] ?? "").length;
    beginning.sort((a, b) => length(a) - length(b));
    return [...beginning, ...containing].slice(0, SUGGESTIONS_MAX);
  }

  #option(place: number): HTMLLIElement {
    const { titles, parts, partNames, categories, categoryNames } = this.#atlas as Atlas;
    const part = partName(partNames[parts[place] as number] ?? "");
    const category = categoryNames[categories[place] as number] ?? "";
    const kind = part || category;
    const option = make("li", "", make("span", "title", titles[place] ?? ""), " ", make("span", "kind", kind));
    option.addEventListener("click", () => this.#pick(place));
    return option;
  }

  /** The suggestion to search for the text itself. */
  #whole(text: string): HTMLLIElement {
    const option = make("li", "whole", "Search for ", make("span", "title", `“${text}”`));
    option.addEventListener("click", () => this.#submit());
    return option;
  }

  #press(event: KeyboardEvent): void {
    const count = this.#list.hidden ? 0 : this.#suggested.length + 1;
    const step = (by: number) =>
      count > 0 ? this.#activate((this.#active + by + count) % count) : this.#suggest();
    const moves: { readonly [key: string]: () => void } = {
      ArrowDown: () => step(1),
      ArrowUp: () => step(-1),
      Escape: () => this.#close(),
      Enter: () => {
        const place = this.#suggested[this.#active];
        if (place === undefined) this.#submit();
        else this.#pick(place);
      },
    };
    const move = moves[event.key];
    if (move && !event.isComposing) {
      event.preventDefault();
      move();
    }
  }

  #activate(active: number): void {
    this.#active = active;
    this.#list.querySelectorAll("li").forEach((option, number) => {
      option.ariaSelected = String(number === active);
    });
    this.#input.setAttribute("aria-activedescendant", `suggestion-${active}`);
    const place = this.#suggested[active];
    if (place === undefined) this.#on.type(this.#input.value.trim());
    else this.#on.preview(this.#atlas?.ids[place] as number);
  }

  #pick(place: number): void {
    this.show(this.#atlas?.titles[place] ?? "");
    this.#on.pick(this.#atlas?.ids[place] as number);
  }

  #submit(): void {
    const text = this.#input.value.trim();
    this.#close();
    if (text !== "") this.#on.submit(text);
  }

  #close(): void {
    this.#suggested = [];
    this.#active = -1;
    this.#list.hidden = true;
    this.#input.setAttribute("aria-expanded", "false");
    this.#input.removeAttribute("aria-activedescendant");
  }
}
