/**
 * A module whose one function returns a lane of `i32x4.relaxed_dot_i8x16_i7x16_add`, the product that
 * the relaxed kernels are made of, of ones: four products and the sum they are added to.
 */
// prettier-ignore
const PROBE = new Uint8Array([
  0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00, // magic and version
  0x01, 0x05, 0x01, 0x60, 0x00, 0x01, 0x7f, // a type: () -> i32
  0x03, 0x02, 0x01, 0x00, // a function of it
  0x07, 0x05, 0x01, 0x01, 0x66, 0x00, 0x00, // exported as "f"
  0x0a, 0x16, 0x01, 0x14, 0x00, // its body
  0x41, 0x01, 0xfd, 0x0f, // i32.const 1, i8x16.splat
  0x41, 0x01, 0xfd, 0x0f, // i32.const 1, i8x16.splat
  0x41, 0x01, 0xfd, 0x11, // i32.const 1, i32x4.splat
  0xfd, 0x93, 0x02, // i32x4.relaxed_dot_i8x16_i7x16_add
  0xfd, 0x1b, 0x00, 0x0b, // i32x4.extract_lane 0, end
]);
const PROBED = 5;

/** Where the module is that is the fastest of those this machine runs rightly. */
export function moduleUrl(): URL {
  // Bundlers find what is written out.
  return multipliesRelaxed()
    ? new URL("./raw/engine_relaxed_simd.wasm", import.meta.url)
    : new URL("./raw/engine_simd128.wasm", import.meta.url);
}

/** Asked by a run: the baseline compiler of V8 11 takes the instruction and drops the sum. */
function multipliesRelaxed(): boolean {
  if (!WebAssembly.validate(PROBE)) {
    return false;
  }
  const { f: probe } = new WebAssembly.Instance(new WebAssembly.Module(PROBE)).exports;
  return typeof probe === "function" && probe() === PROBED;
}
