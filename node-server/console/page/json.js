// JSON that loses nothing: whole numbers too great for a number are bigints.

/**
 * @param {string} text
 * @returns {any}
 */
export function parse(text) {
  // Only digits in such numbers can be lost, and looking at every value takes time.
  if (!/\d{16}/.test(text)) {
    return JSON.parse(text);
  }
  return JSON.parse(text, /** @type {any} */ (exact));
}

/**
 * @param {string} _
 * @param {unknown} value
 * @param {{ source?: string }} [context] How the text has it, where a browser says so.
 */
function exact(_, value, context) {
  const source = context?.source;
  const isLost = typeof value === "number" && !Number.isSafeInteger(value);
  return isLost && source && /^-?\d+$/.test(source) ? BigInt(source) : value;
}

/**
 * The value as people read it: lists of numbers and other short lists are in one line.
 *
 * @param {unknown} value
 * @returns {string}
 */
export function format(value, indent = "") {
  if (typeof value === "bigint") {
    return value.toString();
  }
  if (typeof value !== "object" || value === null) {
    return JSON.stringify(value) ?? "null";
  }
  const inner = `${indent}  `;
  if (Array.isArray(value)) {
    const items = value.map((item) => format(item, inner));
    const isFlat = value.every((item) => typeof item !== "object" || item === null);
    return isFlat || items.length === 0
      ? `[${items.join(", ")}]`
      : `[\n${items.map((item) => inner + item).join(",\n")}\n${indent}]`;
  }
  const members = Object.entries(value).map(
    ([name, member]) => `${inner}${JSON.stringify(name)}: ${format(member, inner)}`,
  );
  return members.length === 0 ? "{}" : `{\n${members.join(",\n")}\n${indent}}`;
}

/**
 * The value as a server reads it.
 *
 * @param {unknown} value
 * @returns {string}
 */
export function write(value) {
  if (typeof value === "bigint") {
    return value.toString();
  }
  if (Array.isArray(value)) {
    return `[${value.map(write).join(",")}]`;
  }
  if (typeof value === "object" && value !== null) {
    const members = Object.entries(value).filter(([, member]) => member !== undefined);
    return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${write(member)}`).join(",")}}`;
  }
  return JSON.stringify(value) ?? "null";
}
