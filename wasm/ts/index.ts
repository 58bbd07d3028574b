export type { Database, Deleted } from "./database.js";
export type { Hit, Id, Include, Included } from "./document.js";
export { ERROR_CODES, type ErrorCode, VectordocError } from "./error.js";
export type { Filter } from "./filter.js";
export type { Open } from "./open.js";
export type { Progress, Progressive, Search, Selection } from "./options.js";
export type { DocumentOf, Field, FilterableOf, IdNameOf, Schema, Vector } from "./schema.js";
