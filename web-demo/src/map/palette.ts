/** A colour as its three bytes. */
export type Colour = readonly [number, number, number];

/** What the map is painted with, as the style sheet says. */
export interface Palette {
  readonly paper: Colour;
  /** The paper's colour, around words. */
  readonly halo: string;
  readonly ink: string;
  readonly muted: string;
  readonly accent: string;
  readonly hot: string;
  /** By the letter of the part of speech. */
  readonly parts: { readonly [part: string]: Colour };
  readonly other: Colour;
}

/** The colours of the page as it is now. */
export function paletteOf(element: HTMLElement): Palette {
  const style = getComputedStyle(element);
  const value = (name: string) => style.getPropertyValue(name).trim();
  const colour = (name: string): Colour => {
    const hex = Number.parseInt(value(name).slice(1), 16);
    return [(hex >> 16) & 0xff, (hex >> 8) & 0xff, hex & 0xff];
  };
  return {
    paper: colour("--map"),
    halo: value("--map"),
    ink: value("--ink"),
    muted: value("--muted"),
    accent: value("--accent"),
    hot: value("--hot"),
    parts: { n: colour("--noun"), v: colour("--verb"), a: colour("--adjective"), r: colour("--adverb") },
    other: colour("--noun"),
  };
}
