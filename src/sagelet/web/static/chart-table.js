// @ts-check
// Reads the table that a <metric-chart> draws.

/** @typedef {{x: number[], labels: string[], columns: (number | null)[][], isTime: boolean}} Data */

/** @param {HTMLTableElement} table @returns {Data} */
export function dataOf(table) {
  const heads = [...(table.tHead?.rows[0]?.cells ?? [])];
  const labels = heads.slice(1).map((cell) => cell.textContent?.trim() ?? "");
  /** @type {Data} */
  const data = { x: [], labels, columns: labels.map(() => []), isTime: false };
  for (const row of table.tBodies[0]?.rows ?? []) {
    const [first, ...cells] = row.cells;
    const x = first ? placeOf(first) : NaN;
    const last = data.x.at(-1);
    if (!Number.isFinite(x) || (last !== undefined && x < last)) continue;
    data.x.push(x);
    data.columns.forEach((column, index) => column.push(valueOf(cells[index])));
  }
  // Steps of a training are small numbers, seconds since the epoch are not.
  data.isTime = (data.x[0] ?? 0) > 1e8;
  return data;
}

/** @param {HTMLTableCellElement} cell */
function placeOf(cell) {
  const time = cell.querySelector("time");
  if (cell.dataset.x === undefined && time) return Date.parse(time.dateTime) / 1000;
  return Number.parseFloat(cell.dataset.x ?? cell.textContent ?? "");
}

/** @param {HTMLTableCellElement | undefined} cell */
function valueOf(cell) {
  const value = Number.parseFloat(cell?.dataset.v ?? cell?.textContent ?? "");
  return Number.isFinite(value) ? value : null;
}
