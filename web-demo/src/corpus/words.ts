/** The parts of speech WordNet has, as people call them. */
export const PARTS: ReadonlyMap<string, string> = new Map([
  ["n", "noun"],
  ["v", "verb"],
  ["a", "adjective"],
  ["r", "adverb"],
]);

/** Categories that do not explain themselves. */
const CATEGORIES: ReadonlyMap<string, string> = new Map([
  ["adj.all", "general"],
  ["adj.pert", "relating to"],
  ["adj.ppl", "participles"],
  ["adv.all", "general"],
  ["noun.Tops", "topmost"],
]);

/** What people call a part of speech: `n` is a noun. */
export function partName(pos: string): string {
  return PARTS.get(pos) ?? pos;
}

/** What people call a category: `noun.food` is food. */
export function categoryName(category: string): string {
  return CATEGORIES.get(category) ?? category.slice(category.indexOf(".") + 1);
}
