import "./style/page.css";
import "./style/search.css";
import "./style/map.css";
import "./style/lab.css";
import "./style/yours.css";
import type { Progress } from "vectordoc";
import { COLLECTIONS, COLLECTION_DIM, type Collection } from "./corpus/collection";
import { Corpus } from "./corpus/corpus";
import { Reader } from "./corpus/reader";
import { Embedder } from "./embedding/embedder";
import { Explorer } from "./explorer";
import { Lab } from "./lab/lab";
import { duration, find, grouped, make, messageOf } from "./page/element";
import { keepForOffline } from "./page/offline";
import { offerThemes } from "./page/theme";
import { OWN, Own } from "./yours/own";
import { Yours } from "./yours/yours";

/** What a visitor sees first: perfume, the noun. */
const FIRST_ID = 29_726;

const status = find("status", HTMLElement);
const progress = find("progress", HTMLProgressElement);
const choices = find("corpora", HTMLFieldSetElement);

const embedder = new Embedder();
const explorer = new Explorer(embedder);
const own = new Own();
const yours = new Yours(own, embedder, () => choose(OWN));
/** What is shown, or being loaded. */
let shown = "";

offerThemes(() => explorer.recolour());
new Lab(() => {
  const { corpus } = explorer;
  return corpus?.isKept ? { name: corpus.name, part: explorer.part ?? (corpus.name === OWN ? undefined : "v") } : undefined;
});
offerCorpora();
own.onChange = () => void ownChanged();
await show(COLLECTIONS[0]?.name ?? "");
await ownChanged();
await keepForOffline();

/** Shows a corpus; if that cannot be had, says so and keeps what is there. */
async function show(name: string): Promise<void> {
  const before = shown;
  shown = name;
  status.setAttribute("role", "status");
  try {
    await (name === OWN ? showOwn() : load(COLLECTIONS.find((collection) => collection.name === name)));
  } catch (error) {
    if (shown !== name) return;
    shown = before;
    status.setAttribute("role", "alert");
    status.textContent = wayOut(name, messageOf(error));
    progress.hidden = true;
    if (before !== "") tick(before);
  }
}

/** Loads a collection: what can be seen and asked comes before all is done. */
async function load(collection: Collection | undefined): Promise<void> {
  if (collection === undefined) return;
  const { name, size, precision } = collection;
  const known = `${grouped(size)} definitions`;
  const started = performance.now();
  report(`Fetching ${known}`)({ done: 0, total: 0 });
  const reader = new Reader();
  try {
    const [atlas, corpus] = await Promise.all([
      reader.read(collection, explorer.wanted() ?? FIRST_ID),
      Corpus.open(name, COLLECTION_DIM, precision),
    ]);
    const answerFirst = async () => {
      explorer.use(corpus, atlas, FIRST_ID);
      await explorer.again();
      performance.mark("answered");
      return duration(performance.now() - started);
    };
    const isThere = (await corpus.count()) === atlas.ids.length;
    let answered = isThere && shown === name ? answerFirst() : undefined;
    if (!isThere) {
      const onProgress = report(`Indexing ${known}`);
      await corpus.fill((count) => reader.take(count), atlas.ids.length, (progress) => {
        onProgress(progress);
        if (shown === name) answered ??= answerFirst();
      });
    }
    if (shown !== name) return;
    const ready = await answered;
    await corpus.indexed(report(`${known}, building their graph`));
    if (shown !== name) return;
    await explorer.again();
    status.textContent = `${known}, ${isThere ? "opened from this browser" : "indexed in this tab"}, first answer after ${ready}`;
    progress.hidden = true;
  } finally {
    reader.close();
  }
}

async function showOwn(): Promise<void> {
  report("Drawing your map")({ done: 0, total: 0 });
  const atlas = await own.atlas();
  const { corpus } = own;
  if (atlas === undefined || corpus === undefined) throw new Error("there is nothing of yours yet");
  if (shown !== OWN) return;
  explorer.use(corpus, atlas, -1);
  await explorer.again();
  status.textContent = `${grouped(atlas.ids.length)} entries of yours`;
  progress.hidden = true;
}

/** What is to be done about a corpus that cannot be loaded. */
function wayOut(name: string, message: string): string {
  return name === "wordnet-50000"
    ? `The 50,000 are not served with this page (${message}). Start it by “vectordoc demo --dataset DIR”, or put the data set beside the page as wordnet50k/.`
    : `It did not work: ${message}`;
}

function offerCorpora(): void {
  for (const { name, size } of COLLECTIONS) choices.append(choice(name, grouped(size)));
  const ownChoice = choice(OWN, "yours");
  ownChoice.hidden = true;
  choices.append(ownChoice);
  choices.addEventListener("change", () => {
    const checked = choices.querySelector<HTMLInputElement>("input:checked");
    if (checked) void show(checked.value);
  });
  tick(COLLECTIONS[0]?.name ?? "");
}

function choice(name: string, label: string): HTMLLabelElement {
  const input = document.createElement("input");
  input.type = "radio";
  input.name = "corpus";
  input.value = name;
  return make("label", "", input, make("span", "", label));
}

function tick(name: string): void {
  const input = choices.querySelector<HTMLInputElement>(`input[value="${name}"]`);
  if (input) input.checked = true;
}

function choose(name: string): void {
  tick(name);
  void show(name);
  find("map", HTMLElement).scrollIntoView({ block: "center" });
}

/** Something of the visitor's came or went, here or in another tab. */
async function ownChanged(): Promise<void> {
  await yours.refresh();
  const count = (await own.corpus?.count()) ?? 0;
  const input = choices.querySelector<HTMLInputElement>(`input[value="${OWN}"]`);
  const label = input?.closest("label");
  if (label) label.hidden = count === 0;
  if (shown === OWN) {
    const next = count > 0 ? OWN : (COLLECTIONS[0]?.name ?? "");
    tick(next);
    await show(next);
  }
}

/** Tells the visitor how far something is. */
function report(what: string): (progress: Progress) => void {
  return ({ done, total }) => {
    status.textContent = `${what}…`;
    progress.hidden = false;
    if (total > 0) {
      progress.max = total;
      progress.value = done;
    } else {
      progress.removeAttribute("value");
    }
  };
}
