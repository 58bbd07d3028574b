// The same, called in a page: the engine is wherever the package puts it then.

import inPlace from "./vectordoc.js";

export default { ...inPlace, worker: false };
