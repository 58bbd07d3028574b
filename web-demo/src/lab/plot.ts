import type { Point } from "./measurement";

const WIDTH = 560;
const HEIGHT = 360;
const LEFT = 64;
const RIGHT = 20;
const TOP = 20;
const BOTTOM = 48;
/** The least recall that is shown, unless something found less. */
const RECALL_MIN = 0.8;

/** What is drawn upwards. */
export interface Measure {
  readonly name: string;
  of(point: Point): number;
}

/** What a search costs: by counting, which is the same everywhere, and by the clock. */
export const MEASURES: readonly Measure[] = [
  { name: "comparisons", of: ({ visited }) => visited },
  { name: "milliseconds", of: ({ milliseconds }) => milliseconds },
];

/** Series of points by name, in the order in which they came. */
export type Plotted = ReadonlyMap<string, readonly Point[]>;

/** Recall to the right, costs upwards: the nearer to the lower right corner, the better. */
export function plot(series: Plotted, { name, of }: Measure): SVGSVGElement {
  const svg = element("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img" });
  svg.setAttribute("aria-label", `Recall against ${name}, for each way; the table below has the numbers`);
  const all = [...series.values()].flat();
  const [least, most] = boundsOf(all.map(of));
  const worst = all.reduce((worst, { recall }) => Math.min(worst, recall), RECALL_MIN);
  const first = Math.floor(worst * 10) / 10;
  const x = (recall: number) => LEFT + ((recall - first) / (1 - first)) * (WIDTH - LEFT - RIGHT);
  const y = (cost: number) =>
    HEIGHT - BOTTOM - (Math.log(Math.max(cost, least) / least) / Math.log(most / least)) * (HEIGHT - TOP - BOTTOM);
  for (let tenths = Math.round(first * 10); tenths <= 10; tenths++) {
    const recall = tenths / 10;
    svg.append(line(x(recall), TOP, x(recall), HEIGHT - BOTTOM), label(`${tenths * 10} %`, x(recall), HEIGHT - BOTTOM + 20, "middle"));
  }
  for (const cost of ticksOf(least, most)) {
    svg.append(line(LEFT, y(cost), WIDTH - RIGHT, y(cost)), label(cost.toLocaleString("en"), LEFT - 8, y(cost) + 4, "end"));
  }
  svg.append(label("recall@10 →", WIDTH - RIGHT, HEIGHT - 6, "end"), label(name, 4, 12, "start"));
  [...series.values()].forEach((points, number) => {
    const steps = points.map((point) => `${x(point.recall)},${y(of(point))}`);
    svg.append(element("polyline", { points: steps.join(" "), class: `series series-${number}` }));
    for (const point of points) svg.append(dot(point, x(point.recall), y(of(point)), number));
  });
  return svg;
}

function dot({ ef, recall, visited, milliseconds, plan }: Point, x: number, y: number, number: number): SVGElement {
  const isScan = !plan.includes("graph") || plan.includes("codes");
  const dot = isScan
    ? element("rect", { x: x - 5, y: y - 5, width: 10, height: 10, class: `dot series-${number}` })
    : element("circle", { cx: x, cy: y, r: 5, class: `dot series-${number}` });
  const title = element("title", {});
  title.textContent = `ef ${ef}: recall ${(recall * 100).toFixed(1)} %, ${Math.round(visited)} comparisons, ${milliseconds.toFixed(2)} ms, ${plan}`;
  dot.append(title);
  return dot;
}

/** The least and the most of all values, and room around them. */
function boundsOf(values: readonly number[]): [number, number] {
  const known = values.filter((value) => value > 0);
  if (known.length === 0) return [1, 10];
  return [Math.min(...known) * 0.8, Math.max(...known) * 1.25];
}

function ticksOf(least: number, most: number): number[] {
  const ticks = [1, 2, 5].flatMap((digit) => [0.01, 0.1, 1, 10, 100, 1_000, 10_000].map((power) => digit * power));
  return ticks.filter((tick) => tick > least && tick < most).sort((a, b) => a - b);
}

function line(x1: number, y1: number, x2: number, y2: number): SVGElement {
  return element("line", { x1, y1, x2, y2, class: "grid" });
}

function label(text: string, x: number, y: number, anchor: string): SVGElement {
  const label = element("text", { x, y, "text-anchor": anchor });
  label.textContent = text;
  return label;
}

function element<N extends keyof SVGElementTagNameMap>(
  name: N,
  attributes: { readonly [name: string]: string | number },
): SVGElementTagNameMap[N] {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  Object.entries(attributes).forEach(([name, value]) => element.setAttribute(name, String(value)));
  return element;
}
