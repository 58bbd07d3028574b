/** What is known of every entry without asking its database: its title, its kind, its place. */
export interface Atlas {
  readonly ids: Float64Array;
  readonly titles: readonly string[];
  /** By entry, its number among `partNames`. */
  readonly parts: Uint8Array;
  readonly partNames: readonly string[];
  /** By entry, its number among `categoryNames`. */
  readonly categories: Uint16Array;
  readonly categoryNames: readonly string[];
  /** By entry, from 0 to 1. */
  readonly xs: Float32Array;
  readonly ys: Float32Array;
}

/** Collects an atlas entry by entry. */
export class AtlasBuilder {
  readonly #titles: string[] = [];
  readonly #ids: number[] = [];
  readonly #parts: number[] = [];
  readonly #categories: number[] = [];
  readonly #partNames = new Names();
  readonly #categoryNames = new Names();

  add(id: number, title: string, part: string, category: string): void {
    this.#ids.push(id);
    this.#titles.push(title);
    this.#parts.push(this.#partNames.numberOf(part));
    this.#categories.push(this.#categoryNames.numberOf(category));
  }

  /** The atlas, given where each entry is. */
  finish(xs: Float32Array, ys: Float32Array): Atlas {
    return {
      ids: Float64Array.from(this.#ids),
      titles: this.#titles,
      parts: Uint8Array.from(this.#parts),
      partNames: this.#partNames.all,
      categories: Uint16Array.from(this.#categories),
      categoryNames: this.#categoryNames.all,
      xs,
      ys,
    };
  }
}

/** Where each entry of an atlas is, by its id. */
export function placesOf({ ids }: Atlas): ReadonlyMap<number, number> {
  return new Map(Array.from(ids, (id, place) => [id, place]));
}

/** Names, numbered in the order in which they come. */
class Names {
  readonly all: string[] = [];
  readonly #numbers = new Map<string, number>();

  numberOf(name: string): number {
    const known = this.#numbers.get(name);
    if (known !== undefined) return known;
    this.all.push(name);
    this.#numbers.set(name, this.all.length - 1);
    return this.all.length - 1;
  }
}
