// @ts-check
// Runs a form that is marked `data-run` without loading the page again: its answer is the page's
// block `result`. The form itself, what was typed and the focus stay as they are.

import { announce } from "./announce.js";
import { enhance } from "./page.js";
import { begin as beginSharing } from "./share-link.js";

const TICK_MS = 100;
const SLOW_MS = 300;
const AWAY =
  "Sagelet did not answer: it may be restarting. What you filled in is still here; run it again in a moment.";

/** What some answers need, and most do not, by the element that they have. */
const PARTS = { "json-tree": "./json-tree.js", "sortable-table": "./sortable-table.js" };

/** @type {AbortController | null} */
let running = null;

const found = document.querySelector("form[data-run]");
if (found instanceof HTMLFormElement) {
  found.addEventListener("submit", (event) => void submitted(event, found));
  cancelButton(found)?.addEventListener("click", () => running?.abort());
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") running?.abort();
  });
  beginSharing(found);
  loadParts(document);
}

/** @param {SubmitEvent} event @param {HTMLFormElement} form */
async function submitted(event, form) {
  const by = event.submitter;
  const own = by instanceof HTMLButtonElement && by.hasAttribute("formaction") ? by : null;
  event.preventDefault();
  if (running) return;
  const sent = new FormData(form);
  const weight = weightOf(sent);
  const limit = Number(form.dataset.limit ?? Infinity);
  if (weight > limit) {
    showProblem(form, `This payload has ${inWords(weight)}: more than the ${inWords(limit)} that an endpoint takes.`);
    return;
  }
  running = new AbortController();
  try {
    if (own) await save(own, sent, running.signal);
    else await run(form, sent, weight, running.signal);
  } finally {
    running = null;
  }
}

/** @param {HTMLFormElement} form @param {FormData} sent @param {number} weight @param {AbortSignal} signal */
async function run(form, sent, weight, signal) {
  const began = performance.now();
  const timer = setInterval(() => tell(form, performance.now() - began), TICK_MS);
  isBusy(form, true);
  try {
    const fresh = await fragment(form.action, "result", sent, signal);
    replace("result", fresh);
    // On a narrow screen it stands below all that is filled in.
    const placed = document.getElementById("result");
    if (placed && placed.getBoundingClientRect().top > innerHeight) placed.scrollIntoView();
    const made = fresh.querySelector("[data-run-id]");
    const previous = form.elements.namedItem("previous");
    if (made instanceof HTMLElement && previous instanceof HTMLInputElement) {
      previous.value = made.dataset.runId ?? "";
    }
    const said = fresh.querySelector("[data-summary]")?.getAttribute("data-summary") ?? "Done";
    status(form, said + largeNote(form, weight));
    form.dispatchEvent(new CustomEvent("sagelet:ran", { bubbles: true }));
  } catch (error) {
    if (signal.aborted) status(form, "Cancelled.");
    else showProblem(form, error instanceof Refusal ? error.message : AWAY);
  } finally {
    clearInterval(timer);
    isBusy(form, false);
  }
}

/** @param {HTMLButtonElement} button @param {FormData} sent @param {AbortSignal} signal */
async function save(button, sent, signal) {
  const block = button.dataset.inline ?? "";
  try {
    const fresh = await fragment(button.formAction, block, sent, signal);
    replace(block, fresh);
    announce(fresh.textContent?.trim() ?? "");
  } catch (error) {
    const place = document.getElementById(block);
    if (place) place.textContent = error instanceof Refusal ? error.message : AWAY;
  }
}

/** The server has answered, but not with what was asked for. */
class Refusal extends Error {}

/**
 * Post a form and return the one block of the answer.
 * @param {string} address @param {string} block @param {FormData} body @param {AbortSignal} signal
 */
async function fragment(address, block, body, signal) {
  const answer = await fetch(address, { method: "POST", body, headers: { "x-fragment": block }, signal });
  const isPage = (answer.headers.get("content-type") ?? "").startsWith("text/html");
  const text = await answer.text();
  if (!isPage) throw new Refusal(saidIn(text) || `Sagelet answered ${answer.status} ${answer.statusText}.`);
  const page = new DOMParser().parseFromString(text, "text/html");
  const fresh = page.getElementById(block);
  if (fresh) return fresh;
  const problem = page.querySelector("[data-testid=problem]")?.textContent;
  throw new Refusal(problem || `Sagelet answered ${answer.status} ${answer.statusText}.`);
}

/** @param {string} text what a daemon says that is no page */
function saidIn(text) {
  try {
    const told = JSON.parse(text);
    return String(told.detail ?? told.message ?? "");
  } catch {
    return "";
  }
}

/** @param {string} id @param {Element} fresh */
function replace(id, fresh) {
  const old = document.getElementById(id);
  if (!old) return;
  const placed = document.importNode(fresh, true);
  enhance(placed);
  loadParts(placed);
  old.replaceWith(placed);
}

/** @param {Document | Element} root */
function loadParts(root) {
  for (const [name, module] of Object.entries(PARTS)) if (root.querySelector(name)) void import(module);
}

/** @param {HTMLFormElement} form @param {string} text */
function showProblem(form, text) {
  const result = document.getElementById("result");
  const notice = document.createElement("p");
  notice.className = "notice";
  notice.dataset.kind = "problem";
  notice.dataset.testid = "run-problem";
  notice.textContent = text;
  result?.replaceChildren(notice);
  status(form, text);
}

/** @param {HTMLFormElement} form @param {boolean} busy */
function isBusy(form, busy) {
  document.getElementById("result")?.setAttribute("aria-busy", String(busy));
  // Disabled, the button would lose the focus.
  const button = form.querySelector("button.primary");
  button?.setAttribute("aria-disabled", String(busy));
  const cancel = cancelButton(form);
  if (!cancel) return;
  if (!busy && document.activeElement === cancel && button instanceof HTMLElement) button.focus();
  cancel.hidden = !busy;
}

/** @param {HTMLFormElement} form @param {number} elapsed_ms */
function tell(form, elapsed_ms) {
  if (elapsed_ms < SLOW_MS) return;
  const line = form.querySelector("[data-run-status]");
  // Only the page shows how long it takes: who listens hears of the end.
  line?.setAttribute("aria-live", "off");
  if (line) line.textContent = `Running… ${(elapsed_ms / 1000).toFixed(1)} s`;
}

/** @param {HTMLFormElement} form @param {string} text */
function status(form, text) {
  const line = form.querySelector("[data-run-status]");
  line?.setAttribute("aria-live", "off");
  if (line) line.textContent = text;
  announce(text);
}

/** @param {HTMLFormElement} form @param {number} weight */
function largeNote(form, weight) {
  const large = Number(form.dataset.large ?? Infinity);
  return weight > large ? `. The payload has ${inWords(weight)}: some of SageMaker's ways take no more than ${inWords(large)}.` : "";
}

/** @param {HTMLFormElement} form */
function cancelButton(form) {
  const button = form.querySelector("[data-cancel]");
  return button instanceof HTMLButtonElement ? button : null;
}

/**
 * Return how large the payload is, as far as that is known here.
 * @param {FormData} sent
 */
function weightOf(sent) {
  let raw = 0;
  let others = 0;
  for (const [name, value] of sent) {
    const size = typeof value === "string" ? new Blob([value]).size : value.size;
    if (name === "body.raw") raw += size;
    else others += size;
  }
  return Math.max(raw, others);
}

/** @param {number} bytes */
function inWords(bytes) {
  return bytes >= 1e6 ? `${(bytes / 1e6).toFixed(1)} MB` : `${Math.ceil(bytes / 1000)} kB`;
}
