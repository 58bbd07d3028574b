// Where text stops being JSON, and what is expected there. Browsers say so in their own words, and
// some do not say where.

const SPACE = /[ \t\n\r]*/y;
const TOKEN =
  /([{}[\],:])|"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.])|(?:true|false|null)\b/y;

/** What may come next. */
const VALUE = "a value";
const VALUE_OR_END = "a value or ]";
const NAME = "a name in double quotes";
const NAME_OR_END = "a name in double quotes, or }";
const COLON = "a colon";

/**
 * What is wrong with `text`, and where; `null` when it is JSON.
 *
 * @param {string} text
 * @returns {string | null}
 */
export function mistakeIn(text) {
  /** @type {string[]} What is open. */
  const open = [];
  let expected = VALUE;
  let at = 0;
  for (;;) {
    SPACE.lastIndex = at;
    at += SPACE.exec(text)?.[0].length ?? 0;
    TOKEN.lastIndex = at;
    const token = TOKEN.exec(text)?.[0] ?? "";
    const next = after(token, expected, open);
    if (next === null) {
      return at === text.length && expected === endOf([]) ? null : placed(text, at, expected);
    }
    expected = next;
    at += token.length;
  }
}

/**
 * What is expected after `token`; `null` when it is not what is expected before.
 *
 * @param {string} token
 * @param {string} expected
 * @param {string[]} open
 * @returns {string | null}
 */
function after(token, expected, open) {
  const takesValue = expected === VALUE || expected === VALUE_OR_END;
  const takesEnd = expected === endOf(open) || expected === VALUE_OR_END || expected === NAME_OR_END;
  switch (token) {
    case "":
      return null;
    case "{":
    case "[":
      if (!takesValue) {
        return null;
      }
      open.push(token);
      return token === "{" ? NAME_OR_END : VALUE_OR_END;
    case "}":
    case "]":
      if (!takesEnd || open.at(-1) !== (token === "}" ? "{" : "[")) {
        return null;
      }
      open.pop();
      return endOf(open);
    case ",":
      return open.length > 0 && expected === endOf(open) ? (open.at(-1) === "{" ? NAME : VALUE) : null;
    case ":":
      return expected === COLON ? VALUE : null;
    default:
      if (takesValue) {
        return endOf(open);
      }
      return token.startsWith('"') && (expected === NAME || expected === NAME_OR_END) ? COLON : null;
  }
}

/** @param {string[]} open */
function endOf(open) {
  const last = open.at(-1);
  return last === undefined ? "nothing more" : last === "{" ? "a comma or }" : "a comma or ]";
}

/** @param {string} text @param {number} at @param {string} expected */
function placed(text, at, expected) {
  const before = text.slice(0, at).split("\n");
  const column = (before.at(-1)?.length ?? 0) + 1;
  const found = at < text.length ? `not ${JSON.stringify(text.slice(at, at + 1))}` : "but the text ends";
  return `This is not JSON: in line ${before.length}, column ${column}, ${expected} is expected, ${found}.`;
}
