// A worker that is the site's own: the database is opened in it.

import * as exercise from "./exercise.js";
import * as vectordoc from "./vectordoc.js";

onmessage = async ({ data: verb }) => postMessage(await exercise[verb](vectordoc));
