// Who uses the console: the key, which this tab forgets when it is closed, and what it is good for.

/** @typedef {"read" | "write" | "admin"} Role */

const ITEM = "vectordoc.key";
/** @type {Role[]} */
const ROLES = ["read", "write", "admin"];

/** Tells of `refused`, when the server does not take the key, or takes one and got none. */
export const events = new EventTarget();

/** @type {string | null} */
let key = stored();
/** What the key is good for; until that is known, nothing is held back. */
let role = /** @type {Role} */ ("admin");

function stored() {
  try {
    return sessionStorage.getItem(ITEM);
  } catch {
    // A browser may keep nothing for anybody; then the key lives as long as the page.
    return null;
  }
}

/** The key to show, if there is one. */
export function currentKey() {
  return key;
}

/** @param {string | null} next */
export function setKey(next) {
  key = next;
  role = "admin";
  try {
    if (next === null) {
      sessionStorage.removeItem(ITEM);
    } else {
      sessionStorage.setItem(ITEM, next);
    }
  } catch {
    // As above.
  }
}

/** @param {Role} next */
export function setRole(next) {
  role = next;
}

export function currentRole() {
  return role;
}

/**
 * Whether the key is good for what takes `needed`.
 *
 * @param {Role} needed
 */
export function may(needed) {
  return ROLES.indexOf(role) >= ROLES.indexOf(needed);
}

/**
 * The server refused the key, or that there is none.
 *
 * @param {string} why
 */
export function refused(why) {
  events.dispatchEvent(new CustomEvent("refused", { detail: why }));
}
