/** What the demo keeps of a definition, or of a text of the visitor's own. */
export interface Entry {
  readonly id: number;
  /** A word, or how the text begins. */
  readonly title: string;
  readonly text: string;
  /** The part of speech, by its letter in WordNet; empty for other texts. */
  readonly part: string;
  /** WordNet's, or the name of the file it came from. */
  readonly category: string;
  readonly embedding: Float32Array;
}

/** An entry as answers have it. */
export type Told = Omit<Entry, "embedding">;
