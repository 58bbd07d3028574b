// Figures of a run, for the table in README.md.

import { writeFileSync } from "node:fs";

/** Leaves what was judged where `tests/guarantees` collects it, if it does. */
export function leaveFigure(name, figure) {
  const directory = process.env.FIGURES;
  if (directory) writeFileSync(`${directory}/${name}`, figure);
}
