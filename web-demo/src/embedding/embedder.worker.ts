// The sentence model aside from the page: text in, vectors of 384 numbers out.

import { type FeatureExtractionPipeline, env, pipeline } from "@huggingface/transformers";
import wasmUrl from "onnxruntime-web/ort-wasm-simd-threaded.wasm?url";
import loaderUrl from "onnxruntime-web/ort-wasm-simd-threaded.mjs?url";

/** What the model is told. */
export type ToEmbedder = {
  readonly number: number;
  /** Where the model is, if not at its hub. */
  readonly base: string | undefined;
  readonly texts: readonly string[];
};

/** What it answers. */
export type FromEmbedder =
  | { readonly kind: "loading"; readonly done: number; readonly total: number }
  | { readonly kind: "vectors"; readonly number: number; readonly vectors: readonly Float32Array[] }
  | { readonly kind: "failed"; readonly number: number; readonly message: string };

const MODEL = "Xenova/all-MiniLM-L6-v2";

let model: Promise<FeatureExtractionPipeline> | undefined;

self.onmessage = async ({ data: { number, base, texts } }: MessageEvent<ToEmbedder>) => {
  try {
    model ??= load(base);
    const extract = await model;
    const output = await extract([...texts], { pooling: "mean", normalize: true });
    const numbers = output.data as Float32Array;
    const dim = output.dims[1] ?? 0;
    const vectors = texts.map((_, at) => numbers.slice(at * dim, (at + 1) * dim));
    tell({ kind: "vectors", number, vectors });
  } catch (error) {
    model = undefined;
    tell({ kind: "failed", number, message: error instanceof Error ? error.message : String(error) });
  }
};

async function load(base: string | undefined): Promise<FeatureExtractionPipeline> {
  // The runtime comes with the page: nothing but the model is fetched from elsewhere.
  const { wasm } = env.backends.onnx;
  if (wasm) {
    const at = (url: string) => new URL(url, self.location.href).href;
    wasm.wasmPaths = { wasm: at(wasmUrl), mjs: at(loaderUrl) };
    wasm.numThreads = 1;
  }
  env.useWasmCache = false;
  env.allowLocalModels = base !== undefined;
  env.allowRemoteModels = base === undefined;
  if (base !== undefined) env.localModelPath = base;
  return pipeline("feature-extraction", MODEL, {
    dtype: "q8",
    device: "wasm",
    progress_callback: (progress) => {
      if (progress.status === "progress") {
        tell({ kind: "loading", done: progress.loaded, total: progress.total });
      }
    },
  });
}

function tell(message: FromEmbedder): void {
  self.postMessage(message);
}
