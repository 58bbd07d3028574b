// Numbers as people read them.

const grouped = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 });

/** @param {number | bigint} number */
export function count(number) {
  return grouped.format(number);
}

/**
 * A count with its noun: `1 document`, `3,000 documents`.
 *
 * @param {number} number
 * @param {string} noun
 */
export function counted(number, noun) {
  return `${count(number)} ${noun}${number === 1 ? "" : "s"}`;
}

const BYTES = ["B", "KiB", "MiB", "GiB", "TiB"];

/** @param {number} number */
export function bytes(number) {
  const power = Math.min(BYTES.length - 1, Math.floor(Math.log2(Math.max(1, number)) / 10));
  return `${short.format(number / 1024 ** power)} ${BYTES[power]}`;
}

/** @param {number} ms */
export function milliseconds(ms) {
  if (ms >= 1000) {
    return `${short.format(ms / 1000)} s`;
  }
  return ms < 1 ? `${short.format(ms * 1000)} µs` : `${short.format(ms)} ms`;
}

/** @param {number} number */
export function rate(number) {
  return number >= 100 ? count(number) : short.format(number);
}

/** @param {number} part From 0 to 1. */
export function percent(part) {
  return `${(part * 100).toFixed(part === 1 || part === 0 ? 0 : 1)} %`;
}

/**
 * A score or a distance, short enough for a column.
 *
 * @param {number} number
 */
export function score(number) {
  return Math.abs(number) >= 1000 ? number.toPrecision(4) : number.toFixed(4);
}
