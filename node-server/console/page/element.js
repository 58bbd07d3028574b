// Elements out of data. Text is always text: nothing here, or anywhere in the console, makes markup
// of a string.

/** @typedef {Node | string | number | bigint | null | undefined | false} Child */

/**
 * An element with these properties and children. A function is a listener, a boolean an attribute
 * that is there or not, anything else an attribute.
 *
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} name
 * @param {Record<string, unknown>} [properties]
 * @param {...(Child | Child[])} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function h(name, properties = {}, ...children) {
  const element = document.createElement(name);
  apply(element, properties);
  element.append(...nodes(children));
  return element;
}

const SVG = "http://www.w3.org/2000/svg";

/**
 * The same in SVG.
 *
 * @template {keyof SVGElementTagNameMap} K
 * @param {K} name
 * @param {Record<string, unknown>} [properties]
 * @param {...Child} children
 * @returns {SVGElementTagNameMap[K]}
 */
export function svg(name, properties = {}, ...children) {
  const element = document.createElementNS(SVG, name);
  apply(element, properties);
  element.append(...nodes(children));
  return element;
}

/**
 * Replaces what is in `place`.
 *
 * @param {Element} place
 * @param {...(Child | Child[])} children
 */
export function fill(place, ...children) {
  place.replaceChildren(...nodes(children));
}

/**
 * @param {Element} element
 * @param {Record<string, unknown>} properties
 */
function apply(element, properties) {
  for (const [name, value] of Object.entries(properties)) {
    if (typeof value === "function") {
      element.addEventListener(name.slice(2), /** @type {EventListener} */ (value));
    } else if (typeof value === "boolean") {
      element.toggleAttribute(name, value);
    } else if (value !== undefined && value !== null) {
      element.setAttribute(name, String(value));
    }
  }
}

/**
 * @param {(Child | Child[])[]} children
 * @returns {(Node | string)[]}
 */
function nodes(children) {
  return children
    .flat()
    .filter((child) => child !== null && child !== undefined && child !== false)
    .map((child) => (child instanceof Node ? child : String(child)));
}

let lastId = 0;

/** An id that no other element has. */
export function freshId() {
  lastId += 1;
  return `e${lastId}`;
}
