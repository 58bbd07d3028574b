/** Entries that one file may bring. */
export const DRAFTS_MAX = 20_000;
/** Letters of a text at most: the model reads no more of it. */
const TEXT_MAX = 600;
const TITLE_WORDS = 6;
/** Numbers that make an array a vector. */
const VECTOR_MIN = 2;
/** Names under which titles and texts usually go, the likeliest first. */
const TITLES = ["title", "lemma", "name", "word", "heading", "subject"];
const TEXTS = ["text", "gloss", "content", "body", "description", "abstract", "summary"];

/** What is to be an entry; without a vector, the model makes one of its text. */
export interface Draft {
  readonly title: string;
  readonly text: string;
  readonly embedding: Float32Array | undefined;
}

/** The drafts in a file: its lines if they are JSON, else its paragraphs. */
export function draftsOf(name: string, content: string): Draft[] {
  const isLines = /\.(jsonl|ndjson)$/i.test(name) || content.trimStart().startsWith("{");
  const drafts = isLines ? draftsOfLines(name, content) : paragraphsOf(content).map(draftOfText);
  if (drafts.length === 0) {
    throw new Error(`${name} has no text; give a text file with paragraphs, or one JSON object a line`);
  }
  if (drafts.length > DRAFTS_MAX) {
    throw new Error(`${name} has ${drafts.length} entries, and ${DRAFTS_MAX} is the most at once; divide it`);
  }
  return drafts;
}

/** A draft of an object with a text, a vector, or both. */
export function draftOfObject(object: object): Draft {
  const fields = Object.entries(object);
  const texts = fields.filter((field): field is [string, string] => typeof field[1] === "string");
  const vector = fields.map(([, value]) => vectorOf(value)).find((vector) => vector !== undefined);
  const named = (names: readonly string[]) =>
    names.map((name) => texts.find(([known]) => known === name)?.[1]).find((text) => text !== undefined);
  const longest = texts.map(([, text]) => text).sort((a, b) => b.length - a.length)[0];
  const title = named(TITLES);
  const text = named(TEXTS) ?? longest ?? title;
  if (text === undefined && vector === undefined) {
    throw new Error("there is neither a text nor a vector in it");
  }
  const shown = text ?? JSON.stringify(object).slice(0, TEXT_MAX);
  return { title: title ?? beginningOf(shown), text: shown, embedding: vector };
}

function draftsOfLines(name: string, content: string): Draft[] {
  const lines = content.split("\n").map((line, at) => ({ line: line.trim(), number: at + 1 }));
  return lines
    .filter(({ line }) => line !== "")
    .map(({ line, number }) => {
      try {
        const value: unknown = JSON.parse(line);
        if (typeof value !== "object" || value === null) throw new Error("it is no object");
        return draftOfObject(value);
      } catch (error) {
        throw new Error(`${name}, line ${number}: ${error instanceof Error ? error.message : String(error)}`);
      }
    });
}

function vectorOf(value: unknown): Float32Array | undefined {
  if (value instanceof Float32Array) return value;
  const isVector =
    Array.isArray(value) && value.length >= VECTOR_MIN && value.every((part) => typeof part === "number");
  return isVector ? Float32Array.from(value as number[]) : undefined;
}

function draftOfText(text: string): Draft {
  return { title: beginningOf(text), text, embedding: undefined };
}

/** Paragraphs; those that are too long for the model by sentences. */
function paragraphsOf(content: string): string[] {
  const paragraphs = content.split(/\n\s*\n/).map((text) => text.replace(/\s+/g, " ").trim());
  return paragraphs.filter((text) => text !== "").flatMap(piecesOf);
}

function piecesOf(paragraph: string): string[] {
  if (paragraph.length <= TEXT_MAX) return [paragraph];
  const pieces = [""];
  for (const sentence of paragraph.match(/[^.!?]+[.!?]*\s*/g) ?? [paragraph]) {
    const last = pieces.at(-1) ?? "";
    if (last !== "" && last.length + sentence.length > TEXT_MAX) pieces.push(sentence);
    else pieces[pieces.length - 1] = last + sentence;
  }
  return pieces.map((piece) => piece.trim());
}

function beginningOf(text: string): string {
  const words = text.split(/\s+/);
  const beginning = words.slice(0, TITLE_WORDS).join(" ");
  return words.length > TITLE_WORDS ? `${beginning}…` : beginning;
}
