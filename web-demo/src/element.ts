/** The element of the page with this id, which is of this type. */
export function find<E extends HTMLElement>(id: string, type: new () => E): E {
  const element = document.getElementById(id);
  if (!(element instanceof type)) {
    throw new Error(`the page has no ${type.name} #${id}`);
  }
  return element;
}

/** A new element with a class and what is in it. */
export function make<N extends keyof HTMLElementTagNameMap>(
  name: N,
  className: string,
  ...content: (string | Node)[]
): HTMLElementTagNameMap[N] {
  const element = document.createElement(name);
  element.className = className;
  element.append(...content);
  return element;
}
