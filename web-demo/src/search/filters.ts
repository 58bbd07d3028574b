import type { Atlas } from "../corpus/atlas";
import type { Choice } from "../corpus/corpus";
import { PARTS, categoryName, partName } from "../corpus/words";
import { find, make } from "../page/element";

/** The filters: one part of speech or any, one category or any. */
export class Filters {
  readonly #parts = find("parts", HTMLFieldSetElement);
  readonly #category = find("category", HTMLSelectElement);
  #atlas: Atlas | undefined;
  /** How many entries each category of each part of speech has. */
  #counts = new Map<string, Map<string, number>>();

  constructor(onChange: () => void) {
    this.#parts.addEventListener("change", () => {
      this.#listCategories();
      onChange();
    });
    this.#category.addEventListener("change", onChange);
  }

  /** Offers what entries of another corpus are. */
  use(atlas: Atlas): void {
    this.#atlas = atlas;
    this.#counts = countsOf(atlas);
    const isSpeech = atlas.partNames.some((part) => PARTS.has(part));
    const options = [["", "any"] as const, ...PARTS];
    this.#parts.querySelectorAll("label").forEach((label) => label.remove());
    this.#parts.append(...options.map(([part, name]) => radio(part, name)));
    this.#parts.hidden = !isSpeech;
    this.#listCategories();
    this.#parts.disabled = false;
    this.#category.disabled = false;
  }

  /** What is chosen. */
  choice(): Choice {
    const [part, category] = [this.#part(), this.#category.value];
    return { ...(part && { part }), ...(category && { category }) };
  }

  /** Which entries of the atlas pass, by place; undefined when all do. */
  passing(): Uint8Array | undefined {
    const { part, category } = this.choice();
    if (this.#atlas === undefined || (part === undefined && category === undefined)) return undefined;
    const { parts, partNames, categories, categoryNames } = this.#atlas;
    const [wantedPart, wantedCategory] = [
      part === undefined ? undefined : partNames.indexOf(part),
      category === undefined ? undefined : categoryNames.indexOf(category),
    ];
    return parts.map((number, at) => {
      const isPart = wantedPart === undefined || number === wantedPart;
      return Number(isPart && (wantedCategory === undefined || categories[at] === wantedCategory));
    });
  }

  #part(): string {
    return this.#parts.querySelector<HTMLInputElement>("input:checked")?.value ?? "";
  }

  /** Lists the categories of the part of speech, and keeps the one chosen if it is among them. */
  #listCategories(): void {
    const [part, chosen] = [this.#part(), this.#category.value];
    const groups = [...this.#counts].filter(([of]) => part === "" || of === part);
    this.#category.replaceChildren(new Option("any", ""), ...groups.map(optionsOf));
    const remains = groups.some(([, categories]) => categories.has(chosen));
    this.#category.value = remains ? chosen : "";
  }
}

/** The categories of a part of speech; of other texts without a heading. */
function optionsOf([part, categories]: [string, Map<string, number>]): HTMLElement | DocumentFragment {
  const options = [...categories].map(
    ([name, count]) => new Option(`${categoryName(name)} (${count})`, name),
  );
  if (!PARTS.has(part)) {
    const fragment = document.createDocumentFragment();
    fragment.append(...options);
    return fragment;
  }
  const group = document.createElement("optgroup");
  group.label = `${partName(part)}s`;
  group.append(...options);
  return group;
}

function radio(part: string, name: string): HTMLLabelElement {
  const input = document.createElement("input");
  input.type = "radio";
  input.name = "part";
  input.value = part;
  input.checked = part === "";
  return make("label", part === "" ? "" : `part-${part}`, input, make("span", "", name));
}

/** How often each category of each part of speech occurs, the most frequent first. */
function countsOf({ parts, partNames, categories, categoryNames }: Atlas): Map<string, Map<string, number>> {
  const counts = new Map([...PARTS.keys()].map((part) => [part, new Map<string, number>()]));
  parts.forEach((number, at) => {
    const part = partNames[number] ?? "";
    const category = categoryNames[categories[at] as number] ?? "";
    const known = counts.get(part) ?? new Map<string, number>();
    counts.set(part, known.set(category, (known.get(category) ?? 0) + 1));
  });
  const sorted = [...counts].map(([part, categories]): [string, Map<string, number>] => [
    part,
    new Map([...categories].sort(([, a], [, b]) => b - a)),
  ]);
  return new Map(sorted.filter(([, categories]) => categories.size > 0));
}
