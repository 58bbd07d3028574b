// Hands the exercise to whoever drives the browser.

import "./complaints.js";
import * as exercise from "./exercise.js";
import * as vectordoc from "./vectordoc.js";

globalThis.exercise = {
  write: (options) => exercise.write(vectordoc, { ...vectordoc.options, ...options }),
  read: (options) => exercise.read(vectordoc, { ...vectordoc.options, ...options }),
};
