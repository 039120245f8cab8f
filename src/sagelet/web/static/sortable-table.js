// @ts-check
// <sortable-table>: the headings of the table in it become buttons that sort its rows.

import { announce } from "./announce.js";

class SortableTable extends HTMLElement {
  connectedCallback() {
    const table = this.querySelector("table");
    for (const [column, heading] of [...(table?.tHead?.rows[0]?.cells ?? [])].entries()) {
      if (heading.querySelector("button")) continue;
      const button = document.createElement("button");
      button.type = "button";
      button.append(...heading.childNodes);
      button.addEventListener("click", () => this.sort(column));
      heading.append(button);
    }
  }

  /** @param {number} column */
  sort(column) {
    const table = this.querySelector("table");
    const body = table?.tBodies[0];
    const headings = [...(table?.tHead?.rows[0]?.cells ?? [])];
    const heading = headings[column];
    if (!body || !heading) return;
    const isRising = heading.getAttribute("aria-sort") !== "ascending";
    for (const each of headings) each.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", isRising ? "ascending" : "descending");
    const rows = [...body.rows].map((row) => ({ row, text: textOf(row.cells[column]) }));
    rows.sort((a, b) => (isRising ? compared(a.text, b.text) : compared(b.text, a.text)));
    body.append(...rows.map(({ row }) => row));
    announce(`Sorted by ${heading.textContent?.trim()}, ${isRising ? "ascending" : "descending"}`);
  }
}

/** @param {HTMLTableCellElement | undefined} cell */
function textOf(cell) {
  return cell?.dataset.value ?? cell?.textContent?.trim() ?? "";
}

/** @param {string} a @param {string} b */
function compared(a, b) {
  const [x, y] = [Number(a), Number(b)];
  if (a !== "" && b !== "" && !Number.isNaN(x) && !Number.isNaN(y)) return x - y;
  return a.localeCompare(b, undefined, { numeric: true });
}

customElements.define("sortable-table", SortableTable);
