import type { Counted, Hit, HitGroup, Id } from "./document.js";
import type { Explained, Hop } from "./explained.js";
import type { Engine } from "./raw/engine.js";
import type { Answers, Questions, Verb } from "./session.js";

/** What a search found, as it crosses: ids, scores and distances in turns, documents. */
type Hits<Doc> = readonly [readonly Id[], Float32Array, readonly Doc[]];

/** The same in groups. */
type Groups<Doc> = readonly (readonly [Counted["value"], Hits<Doc>])[];

/** A search that is explained, as it crosses. */
type PackedExplained = Omit<Explained<object>, "hits" | "path"> & {
  readonly hits: Hits<object>;
  readonly path?: readonly [Hop["level"], Hop["at"], Hop["compared"], Hop["distances"]][];
};

/** The answer to a question, from the form in which it crosses from thread to thread. */
export function unpacked<V extends Verb>(
  verb: V,
  question: Questions[V],
  answer: unknown,
): Answers[V] {
  switch (verb) {
    case "search":
    case "searchLike":
      return found(answer, question as Questions["search"]) as Answers[V];
    case "explain":
      return explained(answer as PackedExplained) as Answers[V];
  }
  return answer as Answers[V];
}

function explained({ hits, path, ...rest }: PackedExplained): Explained<object> {
  const hops = path?.map(([level, at, compared, distances]) => ({ level, at, compared, distances }));
  return { hits: hitsOf(hits), ...rest, ...(hops && { path: hops }) };
}

function found(answer: unknown, { options }: Questions["search"]): unknown {
  const hits = answer as readonly unknown[];
  return options.groupBy === undefined ? hitsOf(hits) : groupsOf(hits);
}

/** The hits of an answer, as objects. */
function hitsOf<Doc>(answer: readonly unknown[]): Hit<Doc>[] {
  const [ids, measures, docs] = answer as Hits<Doc>;
  return ids.map((id, at) => ({
    id,
    score: measures[2 * at] as number,
    distance: measures[2 * at + 1] as number,
    doc: docs[at] as Doc,
  }));
}

/** The groups of an answer, as objects. */
function groupsOf<Doc>(answer: readonly unknown[]): HitGroup<Doc>[] {
  return (answer as Groups<Doc>).map(([value, hits]) => ({ value, hits: hitsOf(hits) }));
}

/** How an engine answers each question, in the form that crosses. */
export const ANSWERS: {
  readonly [V in Verb]: (engine: Engine, question: Questions[V]) => unknown;
} = {
  search: (engine, { vector, options }) => engine.search(vector, options),
  searchLike: (engine, { ids, options }) => engine.searchLike([...ids], options),
  explain: (engine, { vector, options, path }) => engine.explain(vector, options, path),
  stats: (engine) => ({
    documents: engine.count(undefined),
    unindexed: engine.unindexed,
    memoryBytes: engine.memoryBytes,
  }),
  get: (engine, { ids, include, versions }) => ({
    docs: engine.get([...ids], { include }),
    versions: versions ? engine.versions([...ids]) : [],
  }),
  count: (engine, { filter }) => engine.count({ filter }),
  facet: (engine, { field, filter, limit }) => engine.facet(field, { filter, limit }),
  scroll: (engine, { cursor, options }) => engine.scroll(cursor, options),
};
