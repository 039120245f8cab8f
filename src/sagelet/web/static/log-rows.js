// @ts-check
// A list of lines of which only those in sight are elements. Heights are guessed by the number of
// characters, which monospaced text allows, and put right when a line has been seen.

import { rowOf } from "./log-row.js";

/** @typedef {import("./log-lines.js").Line} Line */

const AROUND_PX = 240;
const PROBE_SIGNS = 20;
const PROBE = { id: "", ms: 0, stream: "", source: "algo-1", level: "", text: "0".repeat(PROBE_SIGNS) };

export class Rows {
  /** @param {HTMLElement} scroller what scrolls; the lines become its only content */
  constructor(scroller) {
    this.scroller = scroller;
    // As high as all lines; those that are there stand in it where they belong.
    this.whole = document.createElement("div");
    this.whole.className = "log-whole";
    this.list = document.createElement("div");
    this.list.className = "log-part";
    this.whole.append(this.list);
    scroller.replaceChildren(this.whole);
    /** @type {Line[]} */
    this.lines = [];
    /** @type {Float64Array} where each line begins, and the end of the last */
    this.tops = new Float64Array(1);
    /** @type {Map<Line, HTMLElement>} */
    this.shown = new Map();
    this.look = 1;
    this.isWrapped = true;
    this.hit = "";
    /** @type {[number, number] | null} */
    this.target = null;
    /** Where the list was put by itself, not by its reader. */
    this.ownTop = 0;
    this.columns = 80;
    this.lineHeight = 20;
    this.#measure();
  }

  /** Show these lines; what is in sight stays in its place. @param {Line[]} lines */
  setLines(lines) {
    const anchor = this.#anchor();
    this.lines = lines;
    this.#place();
    this.#return(anchor);
    this.render();
  }

  /** Everything looks otherwise from now on: its width, its wrapping, what is marked. */
  relook() {
    const anchor = this.#anchor();
    this.look += 1;
    for (const row of this.shown.values()) row.remove();
    this.shown.clear();
    this.#measure();
    this.#place();
    this.#return(anchor);
    this.render();
  }

  /** @param {number} top */
  #scrollTo(top) {
    this.scroller.scrollTop = top;
    this.ownTop = this.scroller.scrollTop;
  }

  /** Whether its reader has scrolled it since it was put somewhere. */
  get isMoved() {
    return Math.abs(this.scroller.scrollTop - this.ownTop) > 1;
  }

  get isAtEnd() {
    const { scrollTop, clientHeight, scrollHeight } = this.scroller;
    return scrollTop + clientHeight >= scrollHeight - 8;
  }

  toEnd() {
    // Twice: the lines at the end may turn out to be higher than was thought.
    for (let turn = 0; turn < 2; turn += 1) {
      this.#scrollTo(this.scroller.scrollHeight);
      this.render();
    }
  }

  /** @param {number} index */
  toLine(index) {
    this.#scrollTo(Math.max(0, (this.tops[index] ?? 0) - 60));
    this.render();
  }

  /** The first line in sight. @returns {Line | undefined} */
  get first() {
    return this.lines[this.#at(this.scroller.scrollTop)];
  }

  render() {
    const { scrollTop, clientHeight } = this.scroller;
    const from = this.#at(scrollTop - AROUND_PX);
    const to = Math.min(this.lines.length, this.#at(scrollTop + clientHeight + AROUND_PX) + 1);
    const wanted = this.lines.slice(from, to);
    this.#show(wanted);
    if (this.isWrapped) {
      const anchor = this.#anchor(scrollTop);
      if (this.#correct(wanted)) {
        this.#place();
        this.#return(anchor);
      }
    }
    this.list.style.transform = `translateY(${this.tops[from] ?? 0}px)`;
  }

  /** @param {Line[]} wanted */
  #show(wanted) {
    const kept = new Set(wanted);
    for (const [line, row] of this.shown) {
      if (kept.has(line)) continue;
      row.remove();
      this.shown.delete(line);
    }
    /** @type {ChildNode | null} */
    let here = this.list.firstChild;
    for (const line of wanted) {
      const known = this.shown.get(line);
      const row = known ?? rowOf(line, this);
      if (!known) this.shown.set(line, row);
      if (row === here) here = here.nextSibling;
      else this.list.insertBefore(row, here);
    }
  }

  /** Take over the true heights. @param {Line[]} wanted @returns {boolean} whether one was wrong */
  #correct(wanted) {
    let isWrong = false;
    for (const line of wanted) {
      const height = this.shown.get(line)?.offsetHeight ?? this.lineHeight;
      if (line.look === this.look && line.height === height) continue;
      isWrong ||= height !== this.#guess(line);
      line.height = height;
      line.look = this.look;
    }
    return isWrong;
  }

  #place() {
    const tops = new Float64Array(this.lines.length + 1);
    let top = 0;
    this.lines.forEach((line, index) => {
      tops[index] = top;
      top += this.#guess(line);
    });
    tops[this.lines.length] = top;
    this.tops = tops;
    this.whole.style.height = `${top}px`;
  }

  /** @param {Line} line */
  #guess(line) {
    if (!this.isWrapped) return this.lineHeight;
    if (line.look === this.look && line.height) return line.height;
    return Math.max(1, Math.ceil(line.text.length / this.columns)) * this.lineHeight;
  }

  /** Which line is at a height. @param {number} top */
  #at(top) {
    let low = 0;
    let high = Math.max(0, this.lines.length - 1);
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.tops[middle] ?? 0) <= top) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** What is in sight, to be found again. @returns {[Line, number] | null} */
  #anchor(top = this.scroller.scrollTop) {
    const index = this.#at(top);
    const line = this.lines[index];
    return line ? [line, top - (this.tops[index] ?? 0)] : null;
  }

  /** @param {[Line, number] | null} anchor */
  #return(anchor) {
    const index = anchor ? this.#indexOf(anchor[0]) : -1;
    if (anchor && index >= 0) this.#scrollTo((this.tops[index] ?? 0) + anchor[1]);
  }

  /** @param {Line} line */
  #indexOf(line) {
    // By time first: a list of ten thousand is not searched from its beginning.
    let low = 0;
    let high = this.lines.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.lines[middle]?.ms ?? 0) < line.ms) low = middle + 1;
      else high = middle;
    }
    const found = this.lines.indexOf(line, low);
    return found >= 0 ? found : Math.min(low, this.lines.length - 1);
  }

  #measure() {
    const probe = rowOf(PROBE, this);
    probe.style.position = "absolute";
    this.list.append(probe);
    const text = /** @type {HTMLElement} */ (probe.querySelector(".log-text"));
    const span = document.createElement("span");
    span.append(...text.childNodes);
    text.append(span);
    const width = span.getBoundingClientRect().width / PROBE_SIGNS || 8;
    probe.style.position = "";
    this.columns = Math.max(10, Math.floor(text.clientWidth / width));
    this.lineHeight = probe.offsetHeight || 20;
    probe.remove();
  }
}
