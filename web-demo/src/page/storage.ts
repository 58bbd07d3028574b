import type { Corpus } from "../corpus/corpus";
import { bytes, find } from "./element";

/** Shows what the database takes in memory and what the page keeps in the browser. */
export async function showStorage(corpus: Corpus): Promise<void> {
  const { memoryBytes } = await corpus.stats();
  find("figure-memory", HTMLElement).textContent = bytes(memoryBytes);
  const estimate = await navigator.storage?.estimate?.().catch(() => undefined);
  const kept = corpus.isKept && estimate?.usage ? bytes(estimate.usage) : "not kept";
  find("figure-storage", HTMLElement).textContent = corpus.isKept && !estimate?.usage ? "kept" : kept;
}
