// @ts-check
// Rows of a form's table: added and removed, numbered anew, and filled in.

import { announce } from "./announce.js";

/** @param {HTMLElement} table around a table, a template for its rows, and the button that adds one */
export function growRows(table) {
  const add = table.querySelector("[data-add-row]");
  if (add instanceof HTMLButtonElement) {
    add.hidden = false;
    add.addEventListener("click", () => {
      const row = appendRow(table);
      changed(table);
      control(row)?.focus();
      announce(`Row ${rowsIn(table).length} added`);
    });
  }
  table.addEventListener("click", (event) => {
    const button = event.target instanceof Element ? event.target.closest("[data-remove-row]") : null;
    const row = button?.closest("[data-row]");
    if (!(row instanceof HTMLElement)) return;
    const next = row.nextElementSibling ?? row.previousElementSibling;
    row.remove();
    changed(table);
    (next instanceof HTMLElement ? control(next) : add instanceof HTMLElement ? add : null)?.focus();
    announce("Row removed");
  });
  renumber(table);
}

/** Show so many rows. @param {HTMLElement} table @param {number} count */
export function setRows(table, count) {
  while (rowsIn(table).length < count) appendRow(table);
  for (const row of rowsIn(table).slice(count)) row.remove();
  renumber(table);
}

/** @param {HTMLElement} table */
export function rowsIn(table) {
  return [...table.querySelectorAll("tbody > [data-row]")];
}

/** @param {HTMLElement} table @returns {HTMLElement} */
function appendRow(table) {
  const pattern = table.querySelector("template");
  const made = pattern?.content.querySelector("[data-row]")?.cloneNode(true);
  if (!(made instanceof HTMLElement)) throw new Error("a table without a pattern for its rows");
  table.querySelector("tbody")?.append(made);
  renumber(table);
  return made;
}

/** @param {HTMLElement} table */
function changed(table) {
  renumber(table);
  table.dispatchEvent(new Event("input", { bubbles: true }));
}

/** @param {HTMLElement} table */
function renumber(table) {
  rowsIn(table).forEach((row, at) => {
    const number = String(at + 1);
    for (const element of row.querySelectorAll("input, select, textarea, button")) {
      const label = element.getAttribute("aria-label") ?? "";
      element.setAttribute("aria-label", label.replace(/\d+$/, number));
      if (element.id) element.id = element.id.replace(/\d+$/, number);
    }
    const remove = row.querySelector("[data-remove-row]");
    if (remove instanceof HTMLElement) remove.hidden = false;
  });
}

/** @param {HTMLElement} row @returns {HTMLElement | null} */
function control(row) {
  return row.querySelector("input, select, textarea");
}
