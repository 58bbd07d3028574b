import type { Progress } from "vectordoc";
import { pathOf, showAnswer, showChosen } from "./answer";
import { Dictionary } from "./dictionary";
import { find } from "./element";
import { Filters } from "./filters";
import { Picker } from "./picker";
import { type Definition, loadSample } from "./sample";

/** What a visitor sees first: perfume, the noun. */
const FIRST_ID = 29_726;

const status = find("status", HTMLElement);
const progress = find("progress", HTMLProgressElement);

try {
  await run();
} catch (error) {
  status.setAttribute("role", "alert");
  status.textContent = `It did not work: ${error instanceof Error ? error.message : String(error)}`;
  progress.hidden = true;
}

async function run(): Promise<void> {
  const started = performance.now();
  const definitions = await loadSample();
  const dictionary = await Dictionary.of(definitions, report("Indexing"));
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const known = `${definitions.length.toLocaleString("en")} definitions`;

  const byPath = new Map(definitions.map((definition) => [pathOf(definition.id), definition]));
  let chosen = byPath.get(location.hash) ?? byPath.get(pathOf(FIRST_ID)) ?? definitions[0];
  let asked = 0;

  const filters = new Filters(definitions, () => void ask());
  const picker = new Picker(definitions, choose, ({ id }) => (location.hash = pathOf(id)));
  window.addEventListener("hashchange", () => {
    const definition = byPath.get(location.hash);
    if (definition) {
      picker.show(definition);
      choose(definition);
    }
  });

  function choose(definition: Definition): void {
    chosen = definition;
    void ask();
  }

  /** Shows the chosen definition and what is near to it, unless it is no longer asked for. */
  async function ask(): Promise<void> {
    if (!chosen) {
      return;
    }
    asked += 1;
    const question = asked;
    const answer = await dictionary.nearest(chosen, filters.choice());
    if (question === asked) {
      showChosen(chosen);
      showAnswer(answer);
    }
  }

  if (chosen) {
    picker.show(chosen);
    await ask();
  }
  await dictionary.indexed(report(`${known}, building their graph`));
  status.textContent = `${known}, ready after ${seconds} s`;
  progress.hidden = true;
}

/** Tells the visitor how far something is. */
function report(what: string): (progress: Progress) => void {
  return ({ done, total }) => {
    status.textContent = `${what}…`;
    progress.max = Math.max(total, 1);
    progress.value = done;
  };
}
