// @ts-check
// Changes a part of the page into what the server says now, and touches nothing that is the same:
// so focus, selection, scrolling, open <details> and what somebody has typed stay.

// What is the reader's, not the server's.
const KEPT = new Set(["DETAILS open", "DIALOG open", "INPUT value", "INPUT checked", "OPTION selected"]);

/**
 * Make `from` like `to`, which is used up. Elements are told apart by `id` or `data-key`, else by
 * their place. A custom element is replaced, unless it has a method `renew(to)`.
 * @param {Element} from
 * @param {Element} to
 */
export function morph(from, to) {
  if (from.isEqualNode(to)) return;
  if (from.nodeName !== to.nodeName) {
    from.replaceWith(to);
    return;
  }
  if (from.localName.includes("-")) {
    const custom = /** @type {any} */ (from);
    if (typeof custom.renew === "function") custom.renew(to);
    else from.replaceWith(to);
    return;
  }
  copyAttributes(from, to);
  morphChildren(from, to);
}

/** @param {Element} from @param {Element} to */
function copyAttributes(from, to) {
  for (const { name } of [...from.attributes]) {
    if (!to.hasAttribute(name) && !isKept(from, name)) from.removeAttribute(name);
  }
  for (const { name, value } of to.attributes) {
    if (from.getAttribute(name) !== value && !isKept(from, name)) from.setAttribute(name, value);
  }
}

/** @param {Element} element @param {string} attribute */
function isKept(element, attribute) {
  return KEPT.has(`${element.nodeName} ${attribute}`) && element.getAttribute("type") !== "hidden";
}

/** @param {Element} from @param {Element} to */
function morphChildren(from, to) {
  /** @type {Map<string, Element>} */
  const named = new Map();
  for (const child of from.children) {
    const name = nameOf(child);
    if (name) named.set(name, child);
  }
  /** @type {ChildNode | null} */
  let here = from.firstChild;
  for (const next of [...to.childNodes]) {
    const name = next instanceof Element ? nameOf(next) : "";
    const known = name ? named.get(name) : undefined;
    if (known && known !== here) from.insertBefore(known, here);
    const match = known ?? (here && isLike(here, next) ? here : null);
    if (!match) {
      from.insertBefore(next, here);
      continue;
    }
    here = match.nextSibling;
    if (match instanceof Element && next instanceof Element) morph(match, next);
    else if (match.nodeValue !== next.nodeValue) match.nodeValue = next.nodeValue;
  }
  while (here) {
    const rest = here;
    here = here.nextSibling;
    rest.remove();
  }
}

/** @param {Element} element */
function nameOf(element) {
  return element.id || element.getAttribute("data-key") || "";
}

/** @param {Node} one @param {Node} other */
function isLike(one, other) {
  if (one.nodeName !== other.nodeName) return false;
  return !(one instanceof Element && other instanceof Element) || nameOf(one) === nameOf(other);
}
