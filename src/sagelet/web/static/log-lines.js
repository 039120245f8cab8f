// @ts-check
// The lines of a log that a page has: as the server rendered them, and as the API sends more.

/**
 * @typedef {object} Line
 * @property {string} id
 * @property {number} ms
 * @property {string} stream
 * @property {string} source
 * @property {string} level
 * @property {string} text
 * @property {[string, string][]} [spans]  text and CSS classes
 * @property {number} [cut]                characters that are left out
 * @property {"state" | "end"} [kind]      of a line that is being overwritten
 * @property {string} [begun]
 * @property {number} [height]             as it was last shown
 * @property {number} [look]               and how the list looked then
 */

const LEVELS = ["error", "warning"];

/** @param {HTMLElement} row @returns {Line} */
export function lineOf(row) {
  const shown = row.querySelector(".log-text");
  /** @type {[string, string][]} */
  const spans = [...(shown?.childNodes ?? [])].map((node) => [
    node.textContent ?? "",
    node instanceof Element ? node.className : "",
  ]);
  const { id = "", ms = "0", stream = "", level = "", cut, kind, begun } = row.dataset;
  /** @type {Line} */
  const line = {
    id,
    ms: Number(ms),
    stream,
    level,
    source: row.querySelector(".log-source")?.textContent ?? "",
    text: shown?.textContent ?? "",
  };
  if (spans.some(([, classes]) => classes)) line.spans = spans;
  if (cut) line.cut = Number(cut);
  if (kind === "state" || kind === "end") Object.assign(line, { kind, begun: begun ?? "" });
  return line;
}

/** Lines in order of time, each once. */
export class Lines {
  constructor() {
    /** @type {Line[]} */
    this.all = [];
    /** @type {Set<string>} */
    this.ids = new Set();
    /** Lines that are being overwritten, by their stream and how they begin. @type {Map<string, Line>} */
    this.open = new Map();
  }

  /** @param {Line[]} lines */
  replace(lines) {
    this.all = [];
    this.ids.clear();
    this.open.clear();
    this.append(lines);
  }

  /** Add newer lines; those that are there are passed over. @param {Line[]} lines @returns {number} how many are new */
  append(lines) {
    let added = 0;
    let isSorted = true;
    for (const line of lines) {
      if (this.ids.has(line.id)) continue;
      this.ids.add(line.id);
      if (line.kind) this.#overwrite(line);
      isSorted &&= (this.all.at(-1)?.ms ?? 0) <= line.ms;
      this.all.push(line);
      added += 1;
    }
    // Of several hosts one may tell its lines a little later than the others.
    if (!isSorted) this.all.sort((one, other) => one.ms - other.ms);
    return added;
  }

  /** Add older lines. @param {Line[]} lines */
  prepend(lines) {
    const fresh = lines.filter((line) => !this.ids.has(line.id) && line.kind !== "state");
    for (const line of fresh) this.ids.add(line.id);
    this.all = fresh.concat(this.all);
  }

  /** Forget lines at an end of the list. @param {number} start @param {number} end */
  keep(start, end) {
    const kept = this.all.slice(start, end);
    this.ids = new Set(kept.map((line) => line.id));
    this.all = kept;
  }

  /** @param {Line} line */
  #overwrite(line) {
    const { stream, begun = "", text } = line;
    let key = `${stream}\n${begun}`;
    if (line.kind === "end") {
      const fits = [...this.open.keys()].filter(
        (known) => known.startsWith(`${stream}\n`) && text.startsWith(known.slice(stream.length + 1)),
      );
      key = fits.sort((one, other) => other.length - one.length)[0] ?? key;
    }
    const before = this.open.get(key);
    if (before) {
      const at = this.all.lastIndexOf(before);
      if (at >= 0) this.all.splice(at, 1);
      this.open.delete(key);
    }
    if (line.kind === "state") this.open.set(key, line);
  }
}

/**
 * @param {Line[]} lines
 * @param {{text: string, stream: string, level: string}} wanted
 */
export function filtered(lines, wanted) {
  const text = wanted.text.toLowerCase();
  const levels = wanted.level ? LEVELS.slice(0, LEVELS.indexOf(wanted.level) + 1) : null;
  if (!text && !wanted.stream && !levels) return lines;
  return lines.filter(
    (line) =>
      (!wanted.stream || line.stream === wanted.stream) &&
      (!levels || levels.includes(line.level)) &&
      (!text || line.text.toLowerCase().includes(text)),
  );
}

/** @param {Line} line */
export function clockOf(line) {
  const at = new Date(line.ms);
  const two = (/** @type {number} */ number) => String(number).padStart(2, "0");
  const ms = String(at.getMilliseconds()).padStart(3, "0");
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${ms}`;
}
