import type { Atlas } from "./corpus/atlas";
import type { Answer, Corpus, Question } from "./corpus/corpus";
import { MODEL_MB, type Embedder } from "./embedding/embedder";
import { CorpusMap } from "./map/map";
import { TrailPlayer } from "./map/trail";
import { find, messageOf } from "./page/element";
import { showStorage } from "./page/storage";
import { pathOf, showAnswer } from "./search/answer";
import { Filters } from "./search/filters";
import { Picker } from "./search/picker";

/** What `ef` can be set to; the first is what the database measured. */
const EFS = [undefined, 10, 16, 24, 40, 64, 100, 160, 250, 400] as const;
/** Milliseconds without typing after which a text is embedded. */
const TYPING_MS = 180;

/** One corpus, its questions and answers: in words, on the map, as the way of the search. */
export class Explorer {
  readonly #embedder: Embedder;
  readonly #picker: Picker;
  readonly #filters: Filters;
  readonly #map: CorpusMap;
  readonly #trail: TrailPlayer;
  readonly #model = find("model", HTMLButtonElement);
  readonly #hint = find("hint", HTMLElement);
  readonly #ef = find("ef", HTMLInputElement);
  #corpus: Corpus | undefined;
  #question: Question | undefined;
  #answer: Answer | undefined;
  #asked = 0;
  #typing: ReturnType<typeof setTimeout> | undefined;
  /** What was typed and could be searched for by its meaning. */
  #text = "";

  constructor(embedder: Embedder) {
    this.#embedder = embedder;
    this.#map = new CorpusMap((id) => (location.hash = pathOf(id)));
    this.#trail = new TrailPlayer(
      (id) => this.#map.placeOf(id),
      (trail, whole) => this.#map.trace(trail, whole),
    );
    this.#filters = new Filters(() => {
      this.#map.light(this.#filters.passing());
      void this.again();
    });
    this.#picker = new Picker({
      preview: (id) => void this.ask({ kind: "entry", id }),
      pick: (id) => this.#go(id),
      submit: (text) => void this.#askText(text),
      type: (text) => this.#type(text),
    });
    this.#model.addEventListener("click", () => void this.#understand());
    this.#ef.max = String(EFS.length - 1);
    this.#ef.addEventListener("input", () => void this.#setEf());
    window.addEventListener("hashchange", () => this.#follow());
  }

  /** Explores another corpus; its entries can be asked for from now on. */
  use(corpus: Corpus, atlas: Atlas, first: number): void {
    this.#corpus = corpus;
    this.#picker.use(atlas);
    this.#filters.use(atlas);
    this.#map.show(atlas);
    this.#trail.load([], true);
    const wanted = this.wanted();
    const isThere = wanted !== undefined && this.#map.placeOf(wanted) !== undefined;
    const id = isThere ? wanted : this.#map.placeOf(first) === undefined ? atlas.ids[0] : first;
    const place = this.#map.placeOf(id);
    if (place !== undefined) this.#picker.show(atlas.titles[place] ?? "");
    this.#question = id === undefined ? undefined : { kind: "entry", id };
  }

  /** The entry that the address names. */
  wanted(): number | undefined {
    return location.hash === "" ? undefined : Number(location.hash.slice(1));
  }

  /** What is explored. */
  get corpus(): Corpus | undefined {
    return this.#corpus;
  }

  /** The part of speech that is filtered by. */
  get part(): string | undefined {
    return this.#filters.choice().part;
  }

  recolour(): void {
    this.#map.recolour();
  }

  /** Asks the same again, as the filters, `ef` or the index changed; the map stays where it is. */
  async again(): Promise<void> {
    if (this.#question !== undefined) await this.ask(this.#question, false);
  }

  /** Asks, and shows the answer unless something else was asked meanwhile. */
  async ask(question: Question, isToFollow = true): Promise<void> {
    const corpus = this.#corpus;
    if (corpus === undefined) return;
    this.#question = question;
    const asked = ++this.#asked;
    try {
      const answer = await corpus.ask(question, this.#filters.choice(), this.#chosenEf());
      if (asked !== this.#asked) return;
      this.#answer = answer;
      showAnswer(answer);
      this.#showEf(answer);
      const { path = [], plan = "" } = answer.how ?? {};
      this.#trail.load(path, plan.includes("graph"));
      this.#mark(answer, isToFollow);
      this.#hintAt(question);
      void showStorage(corpus);
    } catch (error) {
      if (asked === this.#asked) this.#say(messageOf(error));
    }
  }

  #go(id: number): void {
    if (location.hash === pathOf(id)) void this.ask({ kind: "entry", id });
    else location.hash = pathOf(id);
  }

  /** Asks for the entry that the address names. */
  #follow(): void {
    const id = this.wanted();
    if (id === undefined || this.#map.placeOf(id) === undefined) return;
    void this.ask({ kind: "entry", id }).then(() => {
      const { question, asked } = this.#answer ?? {};
      if (question?.kind === "entry" && question.id === id) this.#picker.show(asked?.title ?? "");
    });
  }

  /** With the model, text is searched for by its meaning while it is typed. */
  #type(text: string): void {
    clearTimeout(this.#typing);
    this.#typing = setTimeout(() => void this.#askText(text), TYPING_MS);
  }

  async #askText(text: string): Promise<void> {
    clearTimeout(this.#typing);
    this.#text = text;
    if (this.#embedder.isReady && this.#corpus?.dim === 384) {
      await this.#askMeaning(text);
    } else {
      await this.ask({ kind: "words", text });
    }
  }

  async #askMeaning(text: string): Promise<void> {
    const [vector] = await this.#embedder.embed([text]);
    if (vector && text === this.#text) await this.ask({ kind: "meaning", text, vector });
  }

  /** Fetches the model, and asks for what was typed by its meaning. */
  async #understand(): Promise<void> {
    this.#model.disabled = true;
    this.#say("Fetching the model…");
    this.#embedder.onProgress = ({ done, total }) =>
      this.#say(`Fetching the model: ${Math.round((100 * done) / Math.max(1, total))} %`);
    try {
      await this.#askMeaning(this.#text);
    } catch (error) {
      this.#say(`The model cannot be had: ${messageOf(error)} Words and examples work without it.`);
    } finally {
      this.#model.disabled = false;
    }
  }

  #hintAt(question: Question): void {
    const canUnderstand = question.kind === "words" && this.#corpus?.dim === 384;
    this.#model.hidden = !canUnderstand;
    this.#model.textContent = `Search by meaning (fetches a model of ${MODEL_MB} MB, once)`;
    if (question.kind === "words") this.#say("These have the words you typed.");
    else this.#hint.hidden = true;
  }

  #say(words: string): void {
    this.#hint.hidden = false;
    this.#hint.textContent = words;
  }

  #chosenEf(): number | undefined {
    return EFS[Number(this.#ef.value)];
  }

  async #setEf(): Promise<void> {
    await this.again();
  }

  #showEf({ how }: Answer): void {
    const chosen = this.#chosenEf();
    const measured = how?.ef ? `auto, ${how.ef}` : "auto";
    const words = chosen === undefined ? measured : String(chosen);
    find("ef-value", HTMLElement).textContent = words;
    this.#ef.setAttribute("aria-valuetext", words);
  }

  #mark({ asked, found }: Answer, isToFollow: boolean): void {
    const isPlace = (place: number | undefined): place is number => place !== undefined;
    const places = found.map(({ id }) => this.#map.placeOf(id)).filter(isPlace);
    const place = asked && this.#map.placeOf(asked.id);
    this.#map.mark({ asked: place, found: places, trail: undefined }, isToFollow);
  }
}
