import type { Atlas } from "../corpus/atlas";
import { placesOf } from "../corpus/atlas";
import { find, isStill } from "../page/element";
import { withNextFrame } from "../page/frame";
import { Camera, type Pixel, type Pose, type View, between, toPixel } from "./camera";
import { Gestures } from "./gestures";
import { Grid } from "./grid";
import { Overlay, type Scene, type Trail } from "./overlay";
import { Painter } from "./painter";
import { type Palette, paletteOf } from "./palette";
import { regionsOf } from "./regions";

/** Pixels of a canvas at most, of screens that have more for each of the page's. */
const DENSITY_MAX = 2;
/** Pixels of the page around a point in which it is meant. */
const REACH_PX = 14;
/** How near the camera goes by itself. */
const FOCUS_SCALE = 3;
const FLIGHT_MS = 450;
const ZOOM_STEP = 1.6;

/** The map of a corpus: where its entries are, and on it what was asked and found. */
export class CorpusMap {
  readonly #frame = find("map", HTMLElement);
  readonly #tip = find("map-tip", HTMLElement);
  readonly #camera = new Camera();
  readonly #painter: Painter;
  readonly #overlay: Overlay;
  readonly #onPick: (id: number) => void;
  #palette: Palette;
  #atlas: Atlas | undefined;
  #grid: Grid | undefined;
  #places: ReadonlyMap<number, number> = new Map();
  #lit: Uint8Array | undefined;
  #scene: Scene = { asked: undefined, found: [], trail: undefined };
  /** What the points were painted for. */
  #painted: View | undefined;
  /** Whether the points must be painted again. */
  #isStale = true;
  #isDrawn = false;
  #endFlight = () => {};

  constructor(onPick: (id: number) => void) {
    this.#onPick = onPick;
    this.#painter = new Painter(find("map-points", HTMLCanvasElement), (view) => {
      this.#painted = view;
      this.#drawMarks();
    });
    this.#overlay = new Overlay(find("map-marks", HTMLCanvasElement));
    this.#palette = paletteOf(this.#frame);
    new Gestures(this.#frame, this.#camera, {
      moved: () => this.#moved(),
      hovered: (at) => this.#hover(at),
      clicked: (at) => this.#click(at),
    });
    new ResizeObserver(() => this.#redraw()).observe(this.#frame);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.recolour());
    // WebKit may run this before it has the style sheet, and then there are no colours yet.
    addEventListener("load", () => this.recolour());
    const zoom = (id: string, act: () => void) =>
      find(id, HTMLButtonElement).addEventListener("click", () => {
        act();
        this.#moved();
      });
    zoom("zoom-in", () => this.#camera.zoom(ZOOM_STEP));
    zoom("zoom-out", () => this.#camera.zoom(1 / ZOOM_STEP));
    zoom("zoom-all", () => this.#camera.reset());
  }

  /** Shows another corpus. */
  show(atlas: Atlas): void {
    this.#atlas = atlas;
    this.#grid = new Grid(atlas);
    this.#places = placesOf(atlas);
    this.#scene = { asked: undefined, found: [], trail: undefined };
    this.#painter.use(atlas);
    this.#overlay.regions = regionsOf(atlas);
    this.#camera.reset();
    this.light(undefined);
  }

  /** Shows which entries pass a filter; all of them, if `lit` is undefined. */
  light(lit: Uint8Array | undefined): void {
    this.#lit = lit;
    this.#dress();
  }

  /** Shows what was asked and found, and goes there if that is wanted. */
  mark(scene: Scene, isToFollow: boolean): void {
    this.#scene = scene;
    const { asked, found } = scene;
    if (!isToFollow) this.#redraw();
    else this.#goTo([...(asked === undefined ? [] : [asked]), ...found], FOCUS_SCALE);
  }

  /** Shows a part of the way of a search, beginning where all of it can be seen. */
  trace(trail: Trail | undefined, whole: readonly number[]): void {
    const isFirst = this.#scene.trail === undefined && trail !== undefined;
    this.#scene = { ...this.#scene, trail };
    if (isFirst) this.#goTo(whole, FOCUS_SCALE);
    else this.#redraw();
  }

  /** The place of an entry in the atlas. */
  placeOf(id: unknown): number | undefined {
    return this.#places.get(Number(id));
  }

  /** Paints in the colours the page has by now. */
  recolour(): void {
    this.#palette = paletteOf(this.#frame);
    this.#dress();
  }

  /** Paints the points with the colours and the filter there are. */
  #dress(): void {
    const { paper, parts, other } = this.#palette;
    const colours = (this.#atlas?.partNames ?? []).map((part) => parts[part] ?? other);
    this.#painter.look({ paper, colours, lit: this.#lit });
    this.#repaint();
  }

  #goTo(places: readonly number[], scale: number): void {
    const atlas = this.#atlas;
    if (atlas === undefined || places.length === 0) return this.#redraw();
    const from = this.#camera.pose;
    this.#camera.frame(
      places.map((at) => atlas.xs[at] as number),
      places.map((at) => atlas.ys[at] as number),
      scale,
    );
    const to = this.#camera.pose;
    this.#camera.pose = from;
    this.#fly(from, to);
  }

  #fly(from: Pose, to: Pose): void {
    this.#endFlight();
    const started = performance.now();
    const step = (now: number) => {
      const part = isStill() ? 1 : Math.min(1, Math.max(0, now - started) / FLIGHT_MS);
      this.#camera.pose = between(from, to, 1 - (1 - part) ** 3);
      this.#repaint();
      if (part < 1) this.#endFlight = withNextFrame(step);
    };
    this.#endFlight = withNextFrame(step);
  }

  #moved(): void {
    this.#endFlight();
    this.#tip.hidden = true;
    this.#repaint();
  }

  #hover(at: Pixel | undefined): void {
    const place = at && this.#pointAt(at);
    this.#frame.classList.toggle("is-over-point", place !== undefined);
    this.#tip.hidden = place === undefined;
    this.#overlay.hovered = place;
    this.#redraw();
    if (place === undefined || this.#atlas === undefined) return;
    const { xs, ys, titles } = this.#atlas;
    const { x, y } = toPixel(xs[place] as number, ys[place] as number, this.#camera.view);
    const density = this.#camera.width / this.#frame.clientWidth;
    this.#tip.textContent = titles[place] ?? "";
    this.#tip.style.setProperty("--x", `${x / density}px`);
    this.#tip.style.setProperty("--y", `${y / density}px`);
    this.#tip.classList.toggle("is-left", x > this.#camera.width * 0.7);
  }

  #click(at: Pixel): void {
    const place = this.#pointAt(at);
    const id = place === undefined ? undefined : this.#atlas?.ids[place];
    if (id !== undefined) this.#onPick(id);
  }

  #pointAt(at: Pixel): number | undefined {
    const density = this.#camera.width / this.#frame.clientWidth;
    return this.#grid?.nearest(this.#camera.toMap(at), (REACH_PX * density) / this.#camera.side);
  }

  /** Has as many pixels as there is room; whether that are others than before. */
  #fit(): boolean {
    const density = Math.min(DENSITY_MAX, devicePixelRatio);
    const width = Math.max(1, Math.round(this.#frame.clientWidth * density));
    const height = Math.max(1, Math.round(this.#frame.clientHeight * density));
    if (width === this.#camera.width && height === this.#camera.height) return false;
    for (const area of [this.#camera, ...this.#frame.querySelectorAll("canvas")]) {
      area.width = width;
      area.height = height;
    }
    this.#overlay.density = density;
    return true;
  }

  /** Paints the points and draws what is marked with the next frame. */
  #repaint(): void {
    this.#isStale = true;
    this.#redraw();
  }

  /** Draws what is marked with the next frame. */
  #redraw(): void {
    if (this.#isDrawn) return;
    this.#isDrawn = true;
    withNextFrame(() => {
      this.#isDrawn = false;
      this.#draw();
    });
  }

  #draw(): void {
    if (this.#atlas === undefined) return;
    if (this.#fit() || this.#isStale) this.#painter.paint(this.#camera.view);
    else this.#drawMarks();
    this.#isStale = false;
  }

  /** Draws what is marked where the points are, which have the camera's view only once painted. */
  #drawMarks(): void {
    const [atlas, painted] = [this.#atlas, this.#painted];
    if (atlas && painted) this.#overlay.draw(atlas, painted, this.#palette, this.#scene);
  }
}
