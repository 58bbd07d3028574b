import { find, make } from "./element";
import type { Definition } from "./sample";
import { partName } from "./words";

const SUGGESTIONS_MAX = 8;

/**
 * The field in which a definition is picked by its word: a combobox after the pattern of the ARIA
 * Authoring Practices. What is being typed or moved to is previewed; Enter or a click picks it.
 */
export class Picker {
  readonly #input = find("word", HTMLInputElement);
  readonly #list = find("suggestions", HTMLUListElement);
  readonly #words: readonly { readonly word: string; readonly definition: Definition }[];
  readonly #onPreview: (definition: Definition) => void;
  readonly #onPick: (definition: Definition) => void;
  #suggested: readonly Definition[] = [];
  #active = 0;

  constructor(
    definitions: readonly Definition[],
    onPreview: (definition: Definition) => void,
    onPick: (definition: Definition) => void,
  ) {
    this.#words = definitions
      .map((definition) => ({ word: definition.lemma.toLowerCase(), definition }))
      .sort((a, b) => a.word.localeCompare(b.word));
    this.#onPreview = onPreview;
    this.#onPick = onPick;
    this.#input.addEventListener("input", () => this.#suggest());
    this.#input.addEventListener("focus", () => this.#input.select());
    this.#input.addEventListener("blur", () => this.#close());
    this.#input.addEventListener("keydown", (event) => this.#press(event));
    // A press must not take the focus away, which would close the list before the click.
    this.#list.addEventListener("mousedown", (event) => event.preventDefault());
    this.#input.disabled = false;
  }

  /** Shows the word of a definition that was picked elsewhere. */
  show(definition: Definition): void {
    this.#input.value = definition.lemma;
    this.#close();
  }

  #suggest(): void {
    this.#suggested = this.#matches(this.#input.value.trim().toLowerCase());
    this.#list.replaceChildren(
      ...this.#suggested.map((definition, i) => this.#option(definition, i)),
    );
    if (this.#suggested.length === 0) {
      this.#close();
      return;
    }
    this.#list.hidden = false;
    this.#input.setAttribute("aria-expanded", "true");
    this.#activate(0);
  }

  /** Words that begin with `typed`, then words that contain it. */
  #matches(typed: string): Definition[] {
    if (typed === "") {
      return [];
    }
    const beginning = this.#words.filter(({ word }) => word.startsWith(typed));
    const containing = this.#words.filter(({ word }) => word.indexOf(typed) > 0);
    return [...beginning, ...containing]
      .slice(0, SUGGESTIONS_MAX)
      .map(({ definition }) => definition);
  }

  #option(definition: Definition, i: number): HTMLLIElement {
    const { lemma, pos, gloss } = definition;
    const option = make(
      "li",
      "",
      make("span", "lemma", lemma),
      " ",
      make("span", "part", partName(pos)),
      " ",
      make("span", "gloss", gloss),
    );
    option.id = `suggestion-${i}`;
    option.role = "option";
    option.addEventListener("click", () => this.#pick(definition));
    return option;
  }

  #press(event: KeyboardEvent): void {
    const count = this.#suggested.length;
    const isOpen = count > 0;
    const moves: Partial<Record<string, () => void>> = {
      ArrowDown: () => (isOpen ? this.#activate((this.#active + 1) % count) : this.#suggest()),
      ArrowUp: () =>
        isOpen ? this.#activate((this.#active + count - 1) % count) : this.#suggest(),
      Escape: () => this.#close(),
      Enter: () => {
        const definition = this.#suggested[this.#active];
        if (definition) {
          this.#pick(definition);
        }
      },
    };
    const move = moves[event.key];
    if (move) {
      event.preventDefault();
      move();
    }
  }

  #activate(active: number): void {
    this.#active = active;
    this.#list.querySelectorAll("li").forEach((option, i) => {
      option.ariaSelected = String(i === active);
    });
    this.#input.setAttribute("aria-activedescendant", `suggestion-${active}`);
    const definition = this.#suggested[active];
    if (definition) {
      this.#onPreview(definition);
    }
  }

  #pick(definition: Definition): void {
    this.show(definition);
    this.#onPick(definition);
  }

  #close(): void {
    this.#suggested = [];
    this.#list.hidden = true;
    this.#input.setAttribute("aria-expanded", "false");
    this.#input.removeAttribute("aria-activedescendant");
  }
}
