import type { Encoding, Frame } from "./encoding.js";
import { checkDepth, checkLength, sendable } from "./value.js";

/** What follows the elements of a batch, which is the last of its message. */
const END = "]}}";
/** Digits that may be more than a number can hold. */
const LONG = /\d{16}/;
/** Texts and numbers; what is neither has no digits. */
const TEXT_OR_NUMBER = /"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/g;
const LONG_INTEGER = /^-?\d{16,}$/;

/** JSON in text frames. */
export const json: Encoding = {
  protocol: "vectordoc.v1.json",
  encode(message, bytesMax): Frame {
    const text = write(message, 0, () => bytesMax);
    checkLength(bytesOf(text), bytesMax);
    return text;
  },
  decode(frame): unknown {
    if (typeof frame !== "string") {
      throw new TypeError("a binary frame where JSON was agreed on");
    }
    return LONG.test(frame) ? readLong(frame) : JSON.parse(frame);
  },
};

const encoder = new TextEncoder();

function bytesOf(text: string): number {
  return encoder.encode(text).length;
}

/** Writes one value, which is so deep in others; `room` says how many bytes are left for it. */
function write(value: unknown, depth: number, room: () => number): string {
  checkDepth(depth);
  const item = sendable(value);
  switch (item.is) {
    case "null":
      return "null";
    case "boolean":
    case "integer":
      return String(item.value);
    case "number":
      return numberText(item.value);
    case "text":
      return JSON.stringify(item.value);
    case "bytes":
    case "floats":
      return `[${item.value.join()}]`;
    case "array":
      return `[${item.value.map((element) => write(element, depth + 1, room)).join()}]`;
    case "object": {
      let text = "{";
      const left = () => room() - bytesOf(text);
      for (const [name, field] of item.value) {
        text += `${text.length > 1 ? "," : ""}${JSON.stringify(name)}:`;
        text += write(field, depth + 1, left);
      }
      return `${text}}`;
    }
    case "batch": {
      let left = room() - END.length;
      const elements: string[] = [];
      item.value.take((element) => {
        const text = write(element, depth + 1, room);
        left -= bytesOf(text) + 1;
        return left > 0 && elements.push(text) > 0;
      });
      return `[${elements.join()}]`;
    }
  }
}

/** A number that is told from an integer, also when it has no fraction. */
function numberText(number: number): string {
  const text = String(number);
  return /^-?\d+$/.test(text) ? `${text}.0` : text;
}

/** Reads JSON whose integers may be of 64 bits: they pass `JSON.parse` as text behind a mark. */
function readLong(text: string): unknown {
  let mark = "integer ";
  while (text.includes(mark)) {
    mark = ` ${mark}`;
  }
  const marked = text.replace(TEXT_OR_NUMBER, (token) =>
    LONG_INTEGER.test(token) ? `"${mark}${token}"` : token,
  );
  return JSON.parse(marked, (_, value: unknown) =>
    typeof value === "string" && value.startsWith(mark) ? integer(value.slice(mark.length)) : value,
  );
}

/** A number where every digit survives in one, a bigint beyond. */
function integer(digits: string): number | bigint {
  return Number.isSafeInteger(Number(digits)) ? Number(digits) : BigInt(digits);
}
