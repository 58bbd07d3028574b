import type { Choice } from "./dictionary";
import { find, make } from "./element";
import type { Definition } from "./sample";
import { PARTS, categoryName, partName } from "./words";

/** The filters: one part of speech or any, one category or any. */
export class Filters {
  readonly #parts = find("parts", HTMLFieldSetElement);
  readonly #category = find("category", HTMLSelectElement);
  /** How many definitions each category of each part of speech has. */
  readonly #counts = new Map<string, Map<string, number>>();

  constructor(definitions: readonly Definition[], onChange: () => void) {
    for (const pos of PARTS.keys()) {
      const categories = definitions
        .filter((definition) => definition.pos === pos)
        .map(({ category }) => category);
      this.#counts.set(pos, countEach(categories));
    }
    this.#parts.append(...[["", "any"] as const, ...PARTS].map(([pos, name]) => radio(pos, name)));
    this.#parts.addEventListener("change", () => {
      this.#listCategories();
      onChange();
    });
    this.#category.addEventListener("change", onChange);
    this.#listCategories();
    this.#parts.disabled = false;
    this.#category.disabled = false;
  }

  /** What is chosen. */
  choice(): Choice {
    const pos = this.#pos();
    const category = this.#category.value;
    return { ...(pos && { pos }), ...(category && { category }) };
  }

  #pos(): string {
    return this.#parts.querySelector<HTMLInputElement>("input:checked")?.value ?? "";
  }

  /** Lists the categories of the part of speech, and keeps the one chosen if it is among them. */
  #listCategories(): void {
    const [pos, chosen] = [this.#pos(), this.#category.value];
    const groups = [...this.#counts].filter(([part]) => pos === "" || part === pos);
    this.#category.replaceChildren(
      new Option("any", ""),
      ...groups.map(([part, categories]) => {
        const group = document.createElement("optgroup");
        group.label = `${partName(part)}s`;
        group.append(...[...categories].map(([name, count]) => categoryOption(name, count)));
        return group;
      }),
    );
    const remains = groups.some(([, categories]) => categories.has(chosen));
    this.#category.value = remains ? chosen : "";
  }
}

function radio(pos: string, name: string): HTMLLabelElement {
  const input = document.createElement("input");
  input.type = "radio";
  input.name = "pos";
  input.value = pos;
  input.checked = pos === "";
  return make("label", "", input, make("span", "", name));
}

function categoryOption(category: string, count: number): HTMLOptionElement {
  return new Option(`${categoryName(category)} (${count})`, category);
}

/** How often each name occurs, the most frequent first. */
function countEach(names: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const name of names) {
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return new Map([...counts].sort(([, a], [, b]) => b - a));
}
