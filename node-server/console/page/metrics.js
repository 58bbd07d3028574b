// What the server counts, read from Prometheus' text format, and what follows from two readings.

/**
 * @typedef {object} Sample
 * @property {string} name
 * @property {Record<string, string>} labels
 * @property {number} value
 */

/**
 * @param {string} text
 * @returns {Sample[]}
 */
export function parseMetrics(text) {
  const samples = [];
  for (const line of text.split("\n")) {
    const match = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)/.exec(line);
    if (match) {
      const [, name = "", labels = "", value = ""] = match;
      samples.push({ name, labels: parseLabels(labels), value: number(value) });
    }
  }
  return samples;
}

/** @param {string} text */
function parseLabels(text) {
  /** @type {Record<string, string>} */
  const labels = {};
  for (const [, name = "", value = ""] of text.matchAll(/([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g)) {
    labels[name] = value.replace(/\\(.)/g, (_, escaped) => (escaped === "n" ? "\n" : escaped));
  }
  return labels;
}

/** @param {string} text */
function number(text) {
  return text === "+Inf" ? Infinity : Number(text);
}

/**
 * The sum over all samples of this name that have these labels.
 *
 * @param {Sample[]} samples
 * @param {string} name
 * @param {Record<string, string>} [labels]
 */
export function sum(samples, name, labels = {}) {
  const wanted = Object.entries(labels);
  return samples
    .filter((sample) => sample.name === name)
    .filter((sample) => wanted.every(([label, value]) => sample.labels[label] === value))
    .reduce((total, sample) => total + sample.value, 0);
}

/**
 * The values of a label among the samples of this name.
 *
 * @param {Sample[]} samples
 * @param {string} name
 * @param {string} label
 */
export function valuesOf(samples, name, label) {
  const named = samples.filter((sample) => sample.name === name);
  return [...new Set(named.map((sample) => sample.labels[label] ?? ""))];
}

const DURATION_BUCKETS = "vectordoc_request_duration_seconds_bucket";

/**
 * How many requests took at most so long, between two readings; of one method, or of all.
 *
 * @param {Sample[]} before
 * @param {Sample[]} now
 * @param {string} [method]
 * @returns {{ le: number, count: number }[]}
 */
export function latencies(before, now, method) {
  /** @type {Record<string, string>} */
  const labels = method === undefined ? {} : { method };
  return valuesOf(now, DURATION_BUCKETS, "le")
    .map((le) => ({
      le: number(le),
      count: sum(now, DURATION_BUCKETS, { ...labels, le }) - sum(before, DURATION_BUCKETS, { ...labels, le }),
    }))
    .sort((a, b) => a.le - b.le);
}

/**
 * The time that this part of requests stays under, in seconds, as Prometheus estimates it: evenly
 * spread within a bucket. `null` when there were none.
 *
 * @param {{ le: number, count: number }[]} buckets
 * @param {number} part From 0 to 1.
 */
export function quantile(buckets, part) {
  const total = buckets.at(-1)?.count ?? 0;
  if (total === 0) {
    return null;
  }
  const rank = part * total;
  const place = buckets.findIndex((bucket) => bucket.count >= rank);
  const bucket = buckets[place];
  const below = buckets[place - 1] ?? { le: 0, count: 0 };
  if (!bucket || bucket.le === Infinity) {
    return below.le;
  }
  const within = bucket.count - below.count;
  return below.le + (bucket.le - below.le) * (within === 0 ? 1 : (rank - below.count) / within);
}
