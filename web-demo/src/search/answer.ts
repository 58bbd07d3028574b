import type { Answer, Found, How } from "../corpus/corpus";
import type { Told } from "../corpus/entry";
import { categoryName, partName } from "../corpus/words";
import { duration, find, grouped, make } from "../page/element";

/** The path of an entry within the page. */
export function pathOf(id: number): string {
  return `#${id}`;
}

/** Shows what was asked, what was found, and what that took. */
export function showAnswer(answer: Answer): void {
  showAsked(answer);
  const { found, question } = answer;
  find("hits", HTMLOListElement).replaceChildren(...found.map((hit) => item(hit, question.kind === "words")));
  find("none", HTMLElement).hidden = found.length > 0;
  find("nearest", HTMLElement).hidden = false;
  find("nearest-title", HTMLElement).textContent =
    question.kind === "words" ? "By their words" : "Nearest in meaning";
  showFigures(answer);
}

function showAsked({ asked, question }: Answer): void {
  const chosen = find("chosen", HTMLElement);
  if (asked !== undefined) {
    chosen.replaceChildren(make("h2", "title", asked.title), kind(asked), make("p", "text", asked.text));
  } else if (question.kind !== "entry") {
    const how = question.kind === "words" ? "searched by its words" : "understood by the model";
    chosen.replaceChildren(make("h2", "title", `“${question.text}”`), make("span", "kind", how));
  }
  chosen.hidden = false;
}

function showFigures({ allowed, milliseconds, how, found }: Answer): void {
  const figure = (id: string, text: string) => (find(id, HTMLElement).textContent = text);
  figure("figure-time", duration(milliseconds));
  figure("figure-among", grouped(allowed));
  figure("figure-compared", how === undefined ? "–" : grouped(how.visited));
  figure("figure-recall", how === undefined ? "–" : recallOf(how, found.length));
  figure("figure-plan", how === undefined ? "words (BM25)" : PLANS[how.plan] ?? how.plan);
}

function recallOf({ recall }: How, found: number): string {
  return found === 0 ? "–" : `${Math.round(recall * 100)} %`;
}

/** The engine's plans as a visitor understands them. */
const PLANS: { readonly [plan: string]: string } = {
  graph: "graph",
  "filtered graph": "filtered graph",
  codes: "scan of codes",
  exact: "exact scan",
};

function item(found: Found, isByWords: boolean): HTMLLIElement {
  const { id, title, text, score } = found;
  const link = make("a", "title", title);
  link.href = pathOf(id);
  const bar = make("span", "bar");
  bar.style.setProperty("--score", String(Math.min(1, Math.max(0, isByWords ? score / 12 : score))));
  bar.ariaHidden = "true";
  return make(
    "li",
    "",
    make("div", "", make("p", "head", link, " ", kind(found)), make("p", "text", text)),
    make("p", "score", make("span", "", score.toFixed(isByWords ? 1 : 3)), bar),
  );
}

function kind({ part, category }: Told): HTMLElement {
  const names = [partName(part), categoryName(category)].filter((name) => name !== "");
  const element = make("span", "kind", names.join(" · "));
  if (part !== "") element.classList.add(`part-${part}`);
  return element;
}
