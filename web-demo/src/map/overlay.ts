import type { Atlas } from "../corpus/atlas";
import { type Pixel, type View, toPixel } from "./camera";
import type { Palette } from "./palette";
import type { Region } from "./regions";

/** What is marked on a map; entries by their places in the atlas. */
export interface Scene {
  readonly asked: number | undefined;
  readonly found: readonly number[];
  readonly trail: Trail | undefined;
}

/** As much of a search's way as is shown. */
export interface Trail {
  /** Compared before the last step. */
  readonly compared: readonly number[];
  /** Where the search stood, step by step. */
  readonly followed: readonly number[];
  /** From where each of these was found: `[from, to]`. */
  readonly links: readonly (readonly [number, number])[];
  /** Compared by the last step. */
  readonly fresh: readonly number[];
}

const SERIF = '"Iowan Old Style", "Palatino Linotype", Palatino, Georgia, serif';
const SANS = "system-ui, sans-serif";
/** Words next to points. */
const LABELS_MAX = 12;

/** Draws above the points: names of regions, the question, what was found, the way of a search. */
export class Overlay {
  regions: readonly Region[] = [];
  /** The place of the entry under the pointer. */
  hovered: number | undefined;
  density = 1;
  readonly #context: CanvasRenderingContext2D;
  #atlas: Atlas | undefined;
  #view: View | undefined;
  #halo = "";
  #taken: DOMRect[] = [];

  constructor(canvas: HTMLCanvasElement) {
    const context = canvas.getContext("2d");
    if (context === null) throw new Error("this browser has no canvas");
    this.#context = context;
  }

  draw(atlas: Atlas, view: View, palette: Palette, scene: Scene): void {
    this.#atlas = atlas;
    this.#view = view;
    this.#halo = palette.halo;
    this.#taken = [];
    this.#context.clearRect(0, 0, view.width, view.height);
    this.#context.lineCap = "round";
    if (scene.trail) this.#drawTrail(scene.trail, palette);
    this.#drawFound(scene, palette);
    if (this.hovered !== undefined) this.#ring(this.#at(this.hovered), 7, 2, palette.ink);
    if (!scene.trail) this.#drawWords(scene, palette);
    this.#drawRegions(palette);
  }

  #drawTrail({ compared, followed, links, fresh }: Trail, { accent, hot, ink }: Palette): void {
    this.#context.globalAlpha = 0.5;
    for (const place of compared) this.#disc(this.#at(place), 1.6, ink);
    this.#context.globalAlpha = 1;
    const here = followed.at(-1);
    if (here !== undefined) {
      this.#context.globalAlpha = 0.6;
      for (const place of fresh) this.#line(this.#at(here), this.#at(place), 1, hot);
      this.#context.globalAlpha = 1;
    }
    for (const place of fresh) this.#disc(this.#at(place), 2.5, hot);
    for (const [from, to] of links) this.#line(this.#at(from), this.#at(to), 1.8, accent);
    for (const place of followed) this.#disc(this.#at(place), 2.6, accent);
    if (here !== undefined) this.#ring(this.#at(here), 8, 2.5, hot);
  }

  #drawFound({ asked, found, trail }: Scene, { accent, hot }: Palette): void {
    if (asked !== undefined && !trail) {
      this.#context.globalAlpha = 0.35;
      for (const place of found) this.#line(this.#at(asked), this.#at(place), 1.2, accent);
      this.#context.globalAlpha = 1;
    }
    for (const place of found) this.#ring(this.#at(place), 5, 2, accent);
    if (asked !== undefined) {
      this.#disc(this.#at(asked), 4.5, hot);
      this.#ring(this.#at(asked), 9, 2, hot);
    }
  }

  #drawWords({ asked, found }: Scene, { ink, hot }: Palette): void {
    this.#context.font = `600 ${15 * this.density}px ${SERIF}`;
    if (asked !== undefined) this.#word(this.#titleOf(asked), this.#at(asked), hot);
    this.#context.font = `${13.5 * this.density}px ${SERIF}`;
    for (const place of found.slice(0, LABELS_MAX)) {
      this.#word(this.#titleOf(place), this.#at(place), ink);
    }
  }

  #drawRegions({ muted }: Palette): void {
    this.#context.font = `600 ${11 * this.density}px ${SANS}`;
    this.#context.letterSpacing = `${0.08 * 11 * this.density}px`;
    for (const { name, x, y } of this.regions) {
      this.#word(name.toUpperCase(), toPixel(x, y, this.#view as View), muted, "center");
    }
    this.#context.letterSpacing = "0px";
  }

  /** Writes a word beside a point where no other word is; leaves it out where there is no room. */
  #word(text: string, { x, y }: Pixel, colour: string, align: "center" | "beside" = "beside"): void {
    const context = this.#context;
    const { width } = context.measureText(text);
    const height = 16 * this.density;
    const gap = 12 * this.density;
    const lefts = align === "center" ? [x - width / 2] : [x + gap, x - gap - width];
    const room = 5 * this.density;
    const boxes = lefts.map((left) => new DOMRect(left - room, y - height / 2, width + 2 * room, height));
    const box = boxes.find((box) => this.#isFree(box));
    if (box === undefined) return;
    this.#taken.push(box);
    context.textBaseline = "middle";
    context.lineJoin = "round";
    context.lineWidth = 4 * this.density;
    context.strokeStyle = this.#halo;
    context.strokeText(text, box.left + room, y);
    context.fillStyle = colour;
    context.fillText(text, box.left + room, y);
  }

  #isFree(box: DOMRect): boolean {
    const { width, height } = this.#view as View;
    const isInside = box.left >= 0 && box.right <= width && box.top >= 0 && box.bottom <= height;
    const touches = (other: DOMRect) =>
      box.left < other.right &&
      other.left < box.right &&
      box.top < other.bottom &&
      other.top < box.bottom;
    return isInside && !this.#taken.some(touches);
  }

  #at(place: number): Pixel {
    const { xs, ys } = this.#atlas as Atlas;
    return toPixel(xs[place] ?? 0, ys[place] ?? 0, this.#view as View);
  }

  #titleOf(place: number): string {
    const title = this.#atlas?.titles[place] ?? "";
    return title.length > 28 ? `${title.slice(0, 27)}…` : title;
  }

  #disc({ x, y }: Pixel, radius: number, colour: string): void {
    this.#context.beginPath();
    this.#context.arc(x, y, radius * this.density, 0, 2 * Math.PI);
    this.#context.fillStyle = colour;
    this.#context.fill();
  }

  #ring({ x, y }: Pixel, radius: number, width: number, colour: string): void {
    this.#context.beginPath();
    this.#context.arc(x, y, radius * this.density, 0, 2 * Math.PI);
    this.#context.strokeStyle = colour;
    this.#context.lineWidth = width * this.density;
    this.#context.stroke();
  }

  #line(from: Pixel, to: Pixel, width: number, colour: string): void {
    this.#context.beginPath();
    this.#context.moveTo(from.x, from.y);
    this.#context.lineTo(to.x, to.y);
    this.#context.strokeStyle = colour;
    this.#context.lineWidth = width * this.density;
    this.#context.stroke();
  }
}
