import type { Progress } from "vectordoc";
import { connect } from "vectordoc/connect";
import { type Corpus, schemaOf } from "../corpus/corpus";
import type { Entry } from "../corpus/entry";
import { type Draft, draftOfObject } from "./draft";

/** Entries that go over the wire at a time. */
const BATCH = 200;

/** A database of a running `vectordoc serve`. */
export interface Place {
  readonly url: string;
  readonly db: string;
  readonly apiKey: string | undefined;
}

/** Sends every entry to a server, where the database is created if it is missing. */
export async function push(corpus: Corpus, place: Place, onProgress: (progress: Progress) => void): Promise<number> {
  const { url, ...options } = optionsOf(place);
  const schema = schemaOf(corpus.dim, "f32");
  const remote = await connect<typeof schema>(url, { ...options, schema });
  try {
    const total = await corpus.count();
    let done = 0;
    let batch: Entry[] = [];
    const send = async () => {
      await remote.index(batch);
      done += batch.length;
      batch = [];
      onProgress({ done, total });
    };
    for await (const entry of corpus.db.scroll({ include: "*" })) {
      batch.push(entry as Entry);
      if (batch.length === BATCH) await send();
    }
    if (batch.length > 0) await send();
    return done;
  } finally {
    await remote.close();
  }
}

/** Fetches every document of a database, up to `max`, whatever its fields are called. */
export async function pull(place: Place, max: number, onProgress: (progress: Progress) => void): Promise<Draft[]> {
  const { url, ...options } = optionsOf(place);
  const remote = await connect<{ id: string }>(url, options);
  try {
    const total = Math.min(max, await remote.count());
    const drafts: Draft[] = [];
    for await (const doc of remote.scroll({ include: "*" })) {
      drafts.push(draftOfObject(doc));
      if (drafts.length % BATCH === 0) onProgress({ done: drafts.length, total });
      if (drafts.length === max) break;
    }
    return drafts;
  } finally {
    await remote.close();
  }
}

function optionsOf({ url, db, apiKey }: Place) {
  return { url, db, ...(apiKey !== undefined && { apiKey }) };
}
