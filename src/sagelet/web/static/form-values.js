// @ts-check
// What the inputs of a predict form hold, read and written by their names.

import { rowsIn, setRows } from "./form-rows.js";

/** @typedef {import("./body-template.js").Values} Values */

const OUTSIDE = ["body.raw", "body.mode", "body.file"];

/** @param {Element} root @returns {(HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement)[]} */
export function controlsIn(root) {
  const found = root.querySelectorAll("input[name], select[name], textarea[name]");
  return [...found].filter(
    (each) => each instanceof HTMLInputElement || each instanceof HTMLSelectElement || each instanceof HTMLTextAreaElement,
  );
}

/** What would be submitted, files left out. @param {Element} root @returns {Values} */
export function readValues(root) {
  /** @type {Values} */
  const values = new Map();
  for (const control of controlsIn(root)) {
    if (OUTSIDE.includes(control.name) || control.type === "file") continue;
    if (control instanceof HTMLInputElement && ["checkbox", "radio"].includes(control.type) && !control.checked) continue;
    values.set(control.name, [...(values.get(control.name) ?? []), control.value.replace(/\r\n?/g, "\n")]);
  }
  return values;
}

/** Show values; fields that they do not name are left as they are. @param {Element} root @param {Values} values */
export function writeValues(root, values) {
  for (const table of root.querySelectorAll("[data-rows]")) {
    if (!(table instanceof HTMLElement)) continue;
    const columns = [...values].filter(([key]) => key.startsWith(`${table.dataset.rows}[].`));
    if (columns.length) setRows(table, Math.max(...columns.map(([, column]) => column.length)));
    rowsIn(table).forEach((row, at) => {
      for (const control of controlsIn(row)) show(control, [values.get(control.name)?.[at] ?? control.value]);
    });
  }
  for (const control of controlsIn(root)) {
    if (control.closest("[data-row]") || control.type === "file" || control.type === "hidden") continue;
    if (control instanceof HTMLInputElement && control.hasAttribute("data-unset")) {
      control.checked = values.has(control.name);
    } else {
      const held = values.get(control.name);
      if (held) show(control, held);
      else if (control instanceof HTMLInputElement && control.getAttribute("role") === "switch") control.checked = false;
    }
  }
}

/** @param {HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement} control @param {string[]} held */
function show(control, held) {
  if (control instanceof HTMLInputElement && ["checkbox", "radio"].includes(control.type)) {
    control.checked = held.includes(control.value);
    return;
  }
  const [value = ""] = held;
  if (control.value === value) return;
  // An input for numbers would drop what it holds to be none, or too long.
  if (control instanceof HTMLInputElement && control.type === "number" && /e|^.{16}/i.test(value)) control.type = "text";
  control.value = value;
  control.dispatchEvent(new CustomEvent("sagelet:shown"));
}
