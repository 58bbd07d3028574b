/** A matrix of numbers, row by row. */
export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  /** The row with this number, as single-precision numbers of its own. */
  row(number: number): Float32Array<ArrayBuffer>;
}

/** How the numbers of a file become single-precision ones, by numpy's name of their type. */
const READERS: { readonly [type: string]: (file: ArrayBuffer, at: number, count: number) => Float32Array<ArrayBuffer> } = {
  "<f4": (file, at, count) => new Float32Array(file.slice(at, at + 4 * count)),
  "<f2": (file, at, count) => widen(new Uint16Array(file.slice(at, at + 2 * count))),
  "<u2": (file, at, count) => Float32Array.from(new Uint16Array(file.slice(at, at + 2 * count))),
  "|i1": (file, at, count) => Float32Array.from(new Int8Array(file, at, count)),
};
const BYTES: { readonly [type: string]: number } = { "<f4": 4, "<f2": 2, "<u2": 2, "|i1": 1 };

/** Reads a `.npy` file with a matrix; `name` is what an error calls it. */
export function readNpy(file: ArrayBuffer, name: string): Matrix {
  const bytes = new DataView(file);
  if (file.byteLength < 12 || bytes.getUint8(0) !== 0x93 || text(file, 1, 5) !== "NUMPY") {
    throw new Error(`${name} is no .npy file`);
  }
  const isFirstVersion = bytes.getUint8(6) === 1;
  const start = isFirstVersion ? 10 : 12;
  const length = isFirstVersion ? bytes.getUint16(8, true) : bytes.getUint32(8, true);
  const header = text(file, start, length);
  const known = /'descr': '(.f4|.f2|.u2|.i1)', 'fortran_order': False, 'shape': \((\d+), (\d+)\)/;
  const [, type = "", rowsText, columnsText] = known.exec(header) ?? [];
  const read = READERS[type];
  if (read === undefined) {
    throw new Error(`${name} has no matrix of floats, halves or small integers: ${header}`);
  }
  const [rows, columns] = [Number(rowsText), Number(columnsText)];
  const rowBytes = columns * (BYTES[type] ?? 0);
  if (start + length + rows * rowBytes > file.byteLength) {
    throw new Error(`${name} ends before its ${rows} rows do`);
  }
  return { rows, columns, row: (number) => read(file, start + length + number * rowBytes, columns) };
}

/** Half-precision numbers (IEEE 754 binary16) as single-precision ones. */
function widen(halves: Uint16Array): Float32Array<ArrayBuffer> {
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
