import type { Answer, Neighbour } from "./dictionary";
import { find, make } from "./element";
import type { Definition } from "./sample";
import { categoryName, partName } from "./words";

/** The path of a definition within the page. */
export function pathOf(id: number): string {
  return `#${id}`;
}

/** Shows the definition that was chosen. */
export function showChosen(definition: Definition): void {
  const chosen = find("chosen", HTMLElement);
  chosen.replaceChildren(
    make("h2", "lemma", definition.lemma),
    kind(definition),
    make("p", "gloss", definition.gloss),
  );
  chosen.hidden = false;
}

/** Shows what is near to it. */
export function showAnswer({ neighbours, matching, milliseconds }: Answer): void {
  find("hits", HTMLOListElement).replaceChildren(...neighbours.map(hit));
  find("none", HTMLElement).hidden = neighbours.length > 0;
  find("nearest", HTMLElement).hidden = false;
  const among = matching.toLocaleString("en");
  find("figures", HTMLElement).textContent = `among ${among} in ${duration(milliseconds)}`;
}

function hit(neighbour: Neighbour): HTMLLIElement {
  const { id, lemma, gloss, score } = neighbour;
  const link = make("a", "lemma", lemma);
  link.href = pathOf(id);
  const bar = make("span", "bar");
  bar.style.setProperty("--score", String(Math.max(0, score)));
  bar.ariaHidden = "true";
  return make(
    "li",
    "",
    make("div", "text", make("p", "title", link, " ", kind(neighbour)), make("p", "gloss", gloss)),
    make("p", "score", make("span", "", score.toFixed(3)), bar),
  );
}

function kind({ pos, category }: { readonly pos: string; readonly category: string }): HTMLElement {
  return make("span", "kind", `${partName(pos)} · ${categoryName(category)}`);
}

function duration(milliseconds: number): string {
  return milliseconds < 0.1 ? "less than 0.1 ms" : `${milliseconds.toFixed(1)} ms`;
}
