// Builds elements. Data becomes text or attributes, never markup, so a hostile name stays a name.

export type Child = Node | string | number | null | undefined | false;
export type Handler = (event: any) => unknown;
export type Props = Record<string, string | number | boolean | null | undefined | Handler>;

/**
 * Returns a new element. Functions under names like "onclick" become listeners; true is an attribute without a value;
 * false, null and undefined are left out. Texts become text nodes.
 */
export function el<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  props?: Props | null,
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  setProps(made, props ?? {});
  append(made, children);
  return made;
}

/** Returns a new SVG element, by the same rules. */
export function svg<K extends keyof SVGElementTagNameMap>(
  tag: K,
  props?: Props | null,
  ...children: Child[]
): SVGElementTagNameMap[K] {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  setProps(made, props ?? {});
  append(made, children);
  return made;
}

/** Gives `host` these children instead of those it has. */
export function replace(host: Element, ...children: Child[]): void {
  host.replaceChildren();
  append(host, children);
}

/** Sets the text of a node only if it differs: pages that show the same figure each second then lay out nothing. */
export function setText(node: Node, text: string): void {
  if (node.textContent !== text) node.textContent = text;
}

function setProps(element: Element, props: Props): void {
  for (const [name, value] of Object.entries(props)) {
    if (value === false || value === null || value === undefined) continue;
    if (typeof value === "function") {
      if (!name.startsWith("on")) throw new TypeError(`${name} takes no function`);
      element.addEventListener(name.slice(2), value);
      continue;
    }
    // The page's security policy forbids both; here they fail in each test instead of silently in the browser.
    if (name === "style" || name.startsWith("on")) throw new TypeError(`${name} cannot be a text`);
    element.setAttribute(name, value === true ? "" : String(value));
  }
}

function append(host: Element, children: Child[]): void {
  for (const child of children) {
    if (child === false || child === null || child === undefined) continue;
    host.append(typeof child === "number" ? String(child) : child);
  }
}
