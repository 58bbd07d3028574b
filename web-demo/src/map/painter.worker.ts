// Paints the dots of a map aside from the page, which only has to show them.

import { type Dots, type Look, paintDots } from "./dots";
import type { View } from "./camera";

/** What the painter is told: other dots, another look, or which view to paint, into which pixels. */
export type ToPainter =
  | { readonly dots: Dots }
  | { readonly look: Look }
  | { readonly view: View; readonly pixels: ArrayBuffer };

let dots: Dots | undefined;
let look: Look | undefined;

self.onmessage = ({ data }: MessageEvent<ToPainter>) => {
  if ("dots" in data) ({ dots } = data);
  else if ("look" in data) ({ look } = data);
  else paint(data.view, data.pixels);
};

function paint(view: View, pixels: ArrayBuffer): void {
  if (dots && look) paintDots(new Uint8ClampedArray(pixels), dots, view, look);
  self.postMessage(pixels, { transfer: [pixels] });
}
