/** A matrix of numbers, row by row. */
export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly numbers: Float32Array;
}

/** Reads a `.npy` file with a matrix of half-precision numbers. */
export function readNpy(file: ArrayBuffer): Matrix {
  const bytes = new DataView(file);
  if (bytes.getUint8(0) !== 0x93 || text(file, 1, 5) !== "NUMPY") {
    throw new Error("the vectors are no .npy file");
  }
  const isFirstVersion = bytes.getUint8(6) === 1;
  const start = isFirstVersion ? 10 : 12;
  const length = isFirstVersion ? bytes.getUint16(8, true) : bytes.getUint32(8, true);
  const header = text(file, start, length);
  const shape = /'descr': '<f2', 'fortran_order': False, 'shape': \((\d+), (\d+)\)/.exec(header);
  if (shape === null) {
    throw new Error(`the vectors are no matrix of half-precision numbers: ${header}`);
  }
  const [rows, columns] = [Number(shape[1]), Number(shape[2])];
  const halves = new Uint16Array(file.slice(start + length), 0, rows * columns);
  return { rows, columns, numbers: widen(halves) };
}

/** Half-precision numbers (IEEE 754 binary16) as single-precision ones. */
function widen(halves: Uint16Array): Float32Array {
  const numbers = new Float32Array(halves.length);
  const bits = new Uint32Array(numbers.buffer);
  halves.forEach((half, i) => {
    const sign = (half & 0x8000) << 16;
    const exponent = (half >> 10) & 0x1f;
    const fraction = half & 0x3ff;
    if (exponent === 0) {
      numbers[i] = fraction * 2 ** -24;
      bits[i] = (bits[i] ?? 0) | sign;
    } else {
      bits[i] = sign | ((exponent === 0x1f ? 0xff : exponent + 112) << 23) | (fraction << 13);
    }
  });
  return numbers;
}

function text(file: ArrayBuffer, start: number, length: number): string {
  return new TextDecoder("ascii").decode(new Uint8Array(file, start, length));
}
