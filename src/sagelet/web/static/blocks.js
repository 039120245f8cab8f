// @ts-check
// The live blocks of a page: each is fetched again, alone, when one of its topics changes.
//
//   <div id="NAME" data-live="endpoints endpoint:x">   NAME is a block of the page's template
//   <div id="NAME" data-every="5">                      fetched each 5 s while the page is seen

import { announce } from "./announce.js";
import { isLive, listen, removed, signedOut } from "./events.js";
import { morph } from "./morph.js";
import { enhance } from "./page.js";

const APART_MS = 500;

/** @type {Map<string, number>} when each block was fetched last */
const fetched = new Map();
/** @type {Set<string>} blocks that are due */
const due = new Set();
/** @type {Set<string>} blocks that wait until somebody has typed */
const held = new Set();

/** Keep the page's blocks as they are on the server. */
export function begin() {
  const blocks = /** @type {HTMLElement[]} */ ([...document.querySelectorAll("[id][data-live], [id][data-every]")]);
  for (const { id, dataset } of blocks) {
    const topics = (dataset.live ?? "").split(/\s+/).filter(Boolean);
    if (topics.length) {
      listen(topics, (what) => {
        if (what.kind === "change" || what.kind === "back" || what.kind === "log") wanted(id);
      });
    }
    const every_s = Number(dataset.every ?? 0);
    if (every_s > 0) setInterval(() => document.hidden || !isLive() || wanted(id), every_s * 1000);
  }
  document.addEventListener("focusout", () => {
    const ids = [...held];
    held.clear();
    // After the focus has arrived where it goes.
    setTimeout(() => ids.forEach(wanted));
  });
}

/** @param {string} id */
function wanted(id) {
  if (due.has(id)) return;
  due.add(id);
  const wait_ms = (fetched.get(id) ?? 0) + APART_MS - performance.now();
  setTimeout(() => void renew(id), Math.max(0, wait_ms));
}

/** @param {string} id */
async function renew(id) {
  due.delete(id);
  const block = document.getElementById(id);
  if (!block) return;
  if (isEdited(block)) {
    held.add(id);
    return;
  }
  fetched.set(id, performance.now());
  const fresh = await fetchBlock(id);
  if (!fresh || !block.isConnected) return;
  if (isEdited(block)) {
    held.add(id);
    return;
  }
  const before = new Set(saidBy(block));
  enhance(fresh);
  morph(block, fresh);
  const now = document.getElementById(id);
  if (!now) return;
  now.dispatchEvent(new CustomEvent("sagelet:renewed", { bubbles: true }));
  for (const said of saidBy(now)) if (!before.has(said)) announce(said);
}

/** @param {string} id @returns {Promise<Element | null>} */
async function fetchBlock(id) {
  try {
    const answer = await fetch(location.pathname + location.search, {
      headers: { "x-fragment": id },
      redirect: "manual",
    });
    // The one page that others lead to is where one signs in.
    if (answer.type === "opaqueredirect") signedOut();
    if (answer.status === 404) removed();
    if (!answer.ok) return null;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    return page.getElementById(id);
  } catch {
    return null; // the daemon is away; the stream of events says when it is back
  }
}

/** @param {Element} block */
function isEdited(block) {
  const at = document.activeElement;
  if (!at || !block.contains(at)) return false;
  if (at instanceof HTMLSelectElement) return [...at.options].some((o) => o.selected !== o.defaultSelected);
  if (at instanceof HTMLInputElement) return at.value !== at.defaultValue || at.checked !== at.defaultChecked;
  return at instanceof HTMLTextAreaElement && at.value !== at.defaultValue;
}

/** @param {Element} block */
function saidBy(block) {
  return [block, ...block.querySelectorAll("[data-says]")].flatMap((e) => e.getAttribute("data-says") ?? []);
}
