export type { Changes, Conditional, Versioned } from "./changes.js";
export { type Connect, type ConnectOptions, connect } from "./connect.js";
export type { Database, Deleted } from "./database.js";
export type { Counted, Hit, HitGroup, Id, Include, Included } from "./document.js";
export type { ModuleSource } from "./engine.js";
export { ERROR_CODES, type ErrorCode, VectordocError } from "./error.js";
export type { Explained, Hop, Stats } from "./explained.js";
export type { Filter } from "./filter.js";
export type { Open, OpenOptions } from "./open.js";
export type {
  Examples,
  Grouping,
  Ordering,
  Progress,
  Progressive,
  Search,
  Selection,
} from "./options.js";
export type { WebSocketConstructor, WebSocketLike } from "./remote/socket.js";
export type {
  DocumentOf,
  Field,
  FilterableOf,
  GeoPoint,
  IdNameOf,
  Schema,
  Timestamp,
  Vector,
} from "./schema.js";
export type { Archive } from "./session.js";
export type { Entry, Store } from "./store.js";
