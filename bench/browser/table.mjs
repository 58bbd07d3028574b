// The tables: figures are medians over the rounds, ratios medians of the ratios of each round.

const RECALL_MIN = 0.99;
const HNSW = ["ferrovec", "hnswlib-wasm"];
/** The adapters of vectordoc: in place in a worker, and called in a page. */
export const OURS = ["vectordoc", "vectordoc-page"];
const SELECTIVITIES = [0.1, 0.01];
const RAW_BYTES = 384 * 4;
const KIB = 1_024;

/** What was measured of each contender. */
export function peersTable(results) {
  const heading = ["documents", "package", "ready s", "ef", "QPS", "p50 ms", "p99 ms", "recall"];
  const rows = countsOf(results).flatMap((documents) => {
    const rounds = roundsOf(results, documents);
    return Object.keys(rounds[0].searched).map((name) => {
      const builds = rounds.map(({ searched }) => searched[name]);
      const points = builds.map(({ search }) => chosen(search));
      const of = (key) => median(points.map((point) => point?.[key]));
      const filters = SELECTIVITIES.map((part) => filterCell(builds, part));
      const ready = figure(median(builds.map(readyMs)) / 1_000);
      const ef = points[0] === undefined ? "–" : (points[0].ef ?? "default");
      const rates = ["qps", "p50", "p99"].map((key) => figure(of(key)));
      return [documents, name, ready, ef, ...rates, share(of("recall")), ...filters];
    });
  });
  return table([...heading, "10 %: QPS (recall)", "1 %: QPS (recall)"], rows);
}

/** vectordoc ÷ the others. */
export function ratiosTable(results) {
  const names = Object.keys(results[0].searched).filter((name) => !OURS.includes(name));
  const rows = countsOf(results).flatMap((documents) => {
    const rounds = roundsOf(results, documents).map(({ searched }) => searched);
    const row = (what, ratioOf) => [
      documents,
      what,
      ...OURS.map((ours) => figure(median(rounds.map((round) => ratioOf(round[ours], round))))),
    ];
    return [
      ...names.map((name) => row(`QPS ÷ ${name}`, (ours, round) => qps(ours) / qps(round[name]))),
      row("time until the index is ready ÷ the fastest HNSW peer's", (ours, round) => {
        return readyMs(ours) / least(HNSW.map((name) => readyMs(round[name])));
      }),
      row("time until all is searchable ÷ the same", (ours, round) => {
        return ours.acknowledged_ms / least(HNSW.map((name) => readyMs(round[name])));
      }),
      ...SELECTIVITIES.map((part) =>
        row(`QPS with a filter of ${part * 100} % ÷ the best peer's`, (ours, round) => {
          const peers = names.map((name) => filtered(round[name], part)?.qps);
          return filtered(ours, part)?.qps / most(peers);
        }),
      ),
    ];
  });
  return table(["documents", "ratio", ...OURS], rows);
}

/** vectordoc in a page beside bare IndexedDB. */
export function aloneTable(results) {
  const rows = countsOf(results).flatMap((documents) => {
    const rounds = roundsOf(results, documents).map(({ alone }) => alone);
    const row = (what, of) => [documents, what, figure(median(rounds.map(of)))];
    const raw = documents * RAW_BYTES;
    const opening = (times) => median(times.map((time) => time.first_answer_ms));
    const opened = (times, bare) =>
      median(times.map((time) => time.first_answer_ms / time[bare]));
    return [
      row("time until all is searchable, s", ({ filled }) => filled.acknowledged_ms / 1_000),
      row("time until the index is ready, s", ({ filled }) => filled.ready_ms / 1_000),
      row("a search from the page, p50 ms", ({ filled }) => filled.search_ms),
      row("longest task of the page's thread, ms", ({ filled }) => filled.task_ms),
      row("longest gap of a timer of the page, ms", ({ filled }) => filled.gap_ms),
      row("the same of an idle page, ms", ({ idle }) => idle.gap_ms),
      row("one document more, p50 ms", ({ added }) => added.add_ms),
      row("the same ÷ a bare put of as many bytes", ({ added }) => {
        return added.add_ms / added.bare_put_ms;
      }),
      ...["reload", "restart"].flatMap((way) => [
        row(`${way} to first answer, ms`, (round) => opening(round[way])),
        row("the same ÷ reading the same values", (round) => opened(round[way], "bare_read_ms")),
        row("the same ÷ reading values of 1 MiB", (round) => opened(round[way], "bulk_read_ms")),
      ]),
      row("bytes of all values ÷ raw f32", ({ stored }) => stored.bytes / raw),
      row("bytes the browser says are used ÷ raw f32", ({ stored }) => stored.usage / raw),
      row("download with brotli, KiB", ({ download_bytes }) => download_bytes / KIB),
    ];
  });
  return table(["documents", "vectordoc in a page", "figure"], rows);
}

/** The default setting if it finds enough, else the fastest that does. */
function chosen(points = []) {
  const good = points.filter((point) => point.recall >= RECALL_MIN);
  return good.find((point) => point.ef === null) ?? good.toSorted((a, b) => b.qps - a.qps)[0];
}

const qps = (build) => chosen(build?.search)?.qps;
const readyMs = (build) => build?.build_ms;
const filtered = (build, part) => chosen(build?.filter?.filter(({ sel }) => sel === part));

function filterCell(builds, part) {
  if (builds.some(({ filter }) => filter === undefined)) return "–";
  const points = builds.map((build) => filtered(build, part));
  const of = (key) => median(points.map((point) => point?.[key]));
  const ef = points[0]?.ef;
  return `${figure(of("qps"))} (${share(of("recall"))}${ef ? `, ef ${ef}` : ""})`;
}

const countsOf = (results) => [...new Set(results.map(({ documents }) => documents))];
const roundsOf = (results, documents) => results.filter((round) => round.documents === documents);
const known = (values) => values.filter((value) => Number.isFinite(value));
const sorted = (values) => known(values).toSorted((a, b) => a - b);
const least = (values) => sorted(values)[0];
const most = (values) => sorted(values).at(-1);

/** `NaN` when a round has no value. */
function median(values) {
  if (values.length === 0 || known(values).length < values.length) return Number.NaN;
  const [half, ordered] = [values.length >> 1, sorted(values)];
  return values.length % 2 === 1 ? ordered[half] : (ordered[half - 1] + ordered[half]) / 2;
}

function figure(value) {
  if (!Number.isFinite(value)) return "–";
  return value >= 100 ? Math.round(value).toLocaleString("en") : value.toPrecision(3);
}

/** A recall, of which the last digits count. */
const share = (value) => (Number.isFinite(value) ? value.toFixed(4) : "–");

/** A Markdown table. */
function table(heading, rows) {
  const cells = [heading, ...rows].map((row) => row.map(String));
  const widths = heading.map((_, at) => Math.max(...cells.map((row) => row[at].length)));
  const lines = cells.map((row) => row.map((cell, at) => cell.padEnd(widths[at])));
  lines.splice(1, 0, widths.map((width) => "-".repeat(width)));
  return lines.map((line) => `| ${line.join(" | ")} |`).join("\n");
}
