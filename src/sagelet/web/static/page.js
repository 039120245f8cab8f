// @ts-check
// Small behaviours of every page: times in words, copying, Ctrl-Enter, labels of narrow tables.

import { announce } from "./announce.js";

const COPIED_MS = 1500;
const TICK_MS = 1000;
const DAY_S = 86_400;

/** Begin, once a page. */
export function begin() {
  enhance(document.documentElement);
  setInterval(() => document.hidden || tick(document.documentElement), TICK_MS);
  document.addEventListener("click", (event) => {
    const button = event.target instanceof Element ? event.target.closest("[data-copy]") : null;
    if (button instanceof HTMLButtonElement) void copy(button);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    const form = document.querySelector("form[data-run]");
    if (!(form instanceof HTMLFormElement)) return;
    event.preventDefault();
    form.requestSubmit();
  });
}

/**
 * Improve a part of the page that the server has rendered.
 * @param {Element} root
 */
export function enhance(root) {
  tick(root);
  for (const table of root.querySelectorAll("table.data")) {
    if (table instanceof HTMLTableElement) labelCells(table);
  }
}

/** @param {Element} root */
function tick(root) {
  for (const element of root.querySelectorAll("time[datetime]:not([data-absolute])")) {
    const at = new Date(element.getAttribute("datetime") ?? "");
    if (Number.isNaN(at.getTime())) continue;
    if (!element.hasAttribute("title")) element.setAttribute("title", at.toLocaleString());
    const said = element.hasAttribute("data-elapsed") ? spanOf(secondsSince(at)) : agoOf(at);
    if (element.textContent !== said) element.textContent = said;
  }
}

/** @param {Date} at */
function secondsSince(at) {
  return Math.max(0, Math.round((Date.now() - at.getTime()) / 1000));
}

/** @param {Date} at */
function agoOf(at) {
  const seconds = secondsSince(at);
  if (seconds < 10) return "just now";
  // Not by the second: what changes that often is not read.
  if (seconds < 60) return `${Math.floor(seconds / 10) * 10} s ago`;
  if (seconds < DAY_S) return `${spanOf(seconds).split(" ").slice(0, 2).join(" ")} ago`;
  return at.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
}

/** @param {number} seconds */
function spanOf(seconds) {
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  if (h) return m ? `${h} h ${m} min` : `${h} h`;
  return m ? (s ? `${m} min ${s} s` : `${m} min`) : `${s} s`;
}

/** @param {HTMLTableElement} table */
function labelCells(table) {
  const names = [...(table.tHead?.rows[0]?.cells ?? [])].map((cell) => cell.textContent?.trim() ?? "");
  // A narrow screen shows rows as blocks, which some browsers then no longer call a table.
  table.setAttribute("role", "table");
  for (const part of [table.tHead, ...table.tBodies]) part?.setAttribute("role", "rowgroup");
  for (const row of table.rows) {
    row.setAttribute("role", "row");
    const isHead = row.parentElement === table.tHead;
    for (const cell of row.cells) {
      const isName = cell.nodeName === "TH";
      cell.setAttribute("role", isName ? (isHead ? "columnheader" : "rowheader") : "cell");
      const name = names[cell.cellIndex];
      if (!isHead && name && cell.colSpan === 1) cell.setAttribute("data-label", name);
    }
  }
}

/** @param {HTMLButtonElement} button */
async function copy(button) {
  const of = document.querySelector(button.dataset.copy ?? "");
  if (!of) return;
  const hasValue = of instanceof HTMLInputElement || of instanceof HTMLTextAreaElement;
  await write(hasValue ? of.value : (of.textContent ?? ""));
  const words = button.textContent;
  button.textContent = "Copied";
  announce("Copied");
  setTimeout(() => {
    button.textContent = words;
  }, COPIED_MS);
}

/** @param {string} text */
async function write(text) {
  if (navigator.clipboard) {
    await navigator.clipboard.writeText(text);
    return;
  }
  // A page that came over plain HTTP from another machine has no clipboard but this.
  const field = document.createElement("textarea");
  field.value = text;
  field.className = "visually-hidden";
  document.body.append(field);
  field.select();
  document.execCommand("copy");
  field.remove();
}
