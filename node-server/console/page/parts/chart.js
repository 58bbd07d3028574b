// A line over the last minutes, with the value of now beside its name.

import { fill, h, svg } from "../element.js";

/** One a second. */
const POINTS_MAX = 120;
const SPAN = "2 min ago";
const [WIDTH, HEIGHT] = [300, 80];

/** @typedef {(number | null)[]} Point A value for each line; `null` where there is none. */

/**
 * @param {object} options
 * @param {string} options.title
 * @param {string[]} options.lines Their names, for charts of several; `[""]` for one.
 * @param {(value: number) => string} options.format
 * @param {number} [options.base] What its units are powers of.
 * @returns {{ element: HTMLElement, push: (at: Date, point: Point) => void }}
 */
export function lineChart({ title, lines, format, base = 10 }) {
  /** @type {{ at: Date, point: Point }[]} */
  const history = [];
  const figures = h("dl", { class: "figures" });
  const drawing = svg("svg", {
    viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
    preserveAspectRatio: "none",
    role: "img",
  });
  const top = h("span", { class: "top" });
  const time = h("span");
  const plot = h(
    "div",
    {
      class: "plot",
      onpointermove: (/** @type {PointerEvent} */ event) => {
        const part = event.offsetX / Math.max(1, plot.clientWidth);
        pointed = Math.round(part * (POINTS_MAX - 1)) - (POINTS_MAX - history.length);
        draw();
      },
      onpointerleave: () => {
        pointed = null;
        draw();
      },
    },
    drawing,
    top,
  );
  /** @type {number | null} */
  let pointed = null;

  function draw() {
    const shown = (pointed !== null && history[pointed]) || history.at(-1);
    const values = shown?.point ?? lines.map(() => null);
    const said = lines.map((line, place) => [line, text(values[place], format)]);
    fill(
      figures,
      said.map(([line, value], place) =>
        h("div", { class: `figure line-${place}` }, h("dt", { class: line ? "" : "hidden" }, line || title), h("dd", {}, value)),
      ),
    );
    const max = ceiling(Math.max(0, ...history.flatMap(({ point }) => point.map((value) => value ?? 0))), base);
    drawing.setAttribute("aria-label", `${title}: ${said.map((pair) => pair.join(" ")).join(", ")}`);
    fill(drawing, ...lines.map((_, place) => path(history, place, max)), marker(pointed, history));
    fill(top, max > 0 ? format(max) : "");
    fill(time, (pointed !== null && shown?.at.toLocaleTimeString()) || "now");
  }

  draw();
  const axis = h("div", { class: "axis" }, h("span", {}, SPAN), time);
  const element = h("section", { class: "chart card", "aria-label": title }, h("h2", {}, title), figures, plot, axis);
  return {
    element,
    push(at, point) {
      history.push({ at, point });
      history.splice(0, history.length - POINTS_MAX);
      draw();
    },
  };
}

/**
 * @param {number | null | undefined} value
 * @param {(value: number) => string} format
 */
function text(value, format) {
  return value === null || value === undefined ? "–" : format(value);
}

/**
 * The next round number: 1, 2, 5, 10, 20, … of a unit.
 *
 * @param {number} max
 * @param {number} base
 */
function ceiling(max, base) {
  if (max <= 0) {
    return 0;
  }
  const unit = base ** Math.floor(Math.log(max) / Math.log(base));
  const step = 10 ** Math.floor(Math.log10(max / unit));
  const steps = [1, 2, 5, 10, 20].map((times) => times * step * unit);
  return steps.find((round) => round >= max * 1.02) ?? max;
}

/** @param {number} place @param {number} length */
function x(place, length) {
  return ((POINTS_MAX - length + place) / (POINTS_MAX - 1)) * WIDTH;
}

/**
 * The line of one value, in pieces where there was none.
 *
 * @param {{ point: Point }[]} history
 * @param {number} line
 * @param {number} max
 */
function path(history, line, max) {
  let [d, isDrawing] = ["", false];
  history.forEach(({ point }, place) => {
    const value = point[line];
    if (value === null || value === undefined) {
      isDrawing = false;
      return;
    }
    const y = HEIGHT - 2 - (max > 0 ? value / max : 0) * (HEIGHT - 4);
    const at = `${x(place, history.length).toFixed(1)} ${y.toFixed(1)}`;
    // What stands alone is a dot.
    d += isDrawing ? `L${at}` : `M${at}h0`;
    isDrawing = true;
  });
  return svg("path", { d, class: `line line-${line}` });
}

/** @param {number | null} pointed @param {unknown[]} history */
function marker(pointed, history) {
  if (pointed === null || history[pointed] === undefined) {
    return null;
  }
  const at = x(pointed, history.length);
  return svg("line", { x1: at, x2: at, y1: 0, y2: HEIGHT, class: "marker" });
}
