// @ts-check
// A text of numbers as cells: one input each, arrow keys between them, and a range of a
// spreadsheet pasted into as many as it has. The textarea below stays what is submitted.

import { cellsOf } from "./body-tokens.js";

const MOST_CELLS = 400;

/** @param {HTMLTextAreaElement} area @param {boolean} isFlat one row, whatever is pasted */
export function asCells(area, isFlat) {
  const cells = document.createElement("div");
  cells.className = "cells";
  cells.dataset.testid = "cells";
  const asText = document.createElement("details");
  const summary = document.createElement("summary");
  summary.textContent = "As text";
  area.before(cells, asText);
  asText.append(summary, area);
  const draw = () => {
    const rows = rowsOf(area.value, isFlat);
    const count = rows.length * (rows[0]?.length ?? 0);
    const fits = count > 0 && count <= MOST_CELLS && rows.every((row) => row.length === rows[0]?.length);
    cells.hidden = !fits;
    if (!fits) asText.open = true;
    if (fits) cells.replaceChildren(tableOf(rows, area));
    else cells.replaceChildren();
  };
  draw();
  area.addEventListener("input", (event) => {
    // What the cells have written themselves is in them already.
    if (!(event instanceof CustomEvent)) draw();
  });
  area.addEventListener("sagelet:shown", draw);
  cells.addEventListener("input", (event) => {
    event.stopPropagation();
    write(cells, area, isFlat);
  });
  cells.addEventListener("keydown", move);
  cells.addEventListener("paste", (event) => {
    if (paste(event, cells, area, isFlat)) draw();
  });
}

/** @param {string[][]} rows @param {HTMLTextAreaElement} area */
function tableOf(rows, area) {
  const table = document.createElement("table");
  const label = area.labels?.[0]?.textContent?.trim() ?? "Numbers";
  const head = table.createTHead().insertRow();
  (rows[0] ?? []).forEach((_, at) => {
    const name = document.createElement("th");
    name.scope = "col";
    name.textContent = String(at + 1);
    head.append(name);
  });
  const body = table.createTBody();
  rows.forEach((row, down) => {
    const line = body.insertRow();
    row.forEach((text, across) => {
      const input = document.createElement("input");
      input.inputMode = "decimal";
      input.autocomplete = "off";
      input.value = text;
      input.setAttribute("aria-label", `${label}, row ${down + 1}, column ${across + 1}`);
      line.insertCell().append(input);
    });
  });
  return table;
}

/** @param {HTMLElement} cells @param {HTMLTextAreaElement} area @param {boolean} isFlat */
function write(cells, area, isFlat) {
  put(area, valuesIn(cells), isFlat);
}

/** @param {HTMLTextAreaElement} area @param {string[][]} rows @param {boolean} isFlat */
function put(area, rows, isFlat) {
  const text = rows.map((row) => row.join(", "));
  area.value = isFlat ? text.join(", ") : text.join("\n");
  area.dispatchEvent(new CustomEvent("input", { bubbles: true }));
}

/** @param {KeyboardEvent} event */
function move(event) {
  const input = event.target;
  const steps = { ArrowUp: [-1, 0], ArrowDown: [1, 0], Enter: [1, 0] };
  const step = steps[/** @type {keyof typeof steps} */ (event.key)];
  if (!(input instanceof HTMLInputElement) || !step || event.ctrlKey || event.metaKey) return;
  const cell = input.closest("td");
  const row = cell?.parentElement;
  const next = step[0] === -1 ? row?.previousElementSibling : row?.nextElementSibling;
  event.preventDefault();
  if (!(next instanceof HTMLTableRowElement) || !cell) return;
  const wanted = next.cells[cell.cellIndex]?.querySelector("input");
  wanted?.focus();
  wanted?.select();
}

/**
 * Put a pasted range in, from the cell that has the focus; the grid grows as it must.
 * @param {ClipboardEvent} event @param {HTMLElement} cells @param {HTMLTextAreaElement} area @param {boolean} isFlat
 */
function paste(event, cells, area, isFlat) {
  const text = event.clipboardData?.getData("text/plain").replace(/\r\n?/g, "\n").replace(/\n+$/, "") ?? "";
  const input = event.target;
  const cell = input instanceof HTMLInputElement ? input.closest("td") : null;
  const row = cell?.parentElement;
  const pasted = rowsOf(text, isFlat);
  if (!cell || !(row instanceof HTMLTableRowElement) || pasted.flat().length < 2) return false;
  event.preventDefault();
  const rows = valuesIn(cells);
  const down = row.sectionRowIndex;
  const across = cell.cellIndex;
  const width = Math.max(rows[0]?.length ?? 0, across + Math.max(...pasted.map((line) => line.length)));
  while (rows.length < down + pasted.length) rows.push([]);
  for (const line of rows) while (line.length < width) line.push("0");
  pasted.forEach((line, y) => line.forEach((value, x) => (rows[down + y] ?? []).splice(across + x, 1, value)));
  put(area, rows, isFlat);
  return true;
}

/** @param {HTMLElement} cells @returns {string[][]} */
function valuesIn(cells) {
  return [...cells.querySelectorAll("tbody tr")].map((row) => [...row.querySelectorAll("input")].map((input) => input.value.trim()));
}

/** @param {string} text @param {boolean} isFlat @returns {string[][]} */
function rowsOf(text, isFlat) {
  if (isFlat) return [cellsOf(text)];
  return text.split("\n").filter((line) => line.trim()).map(cellsOf);
}
