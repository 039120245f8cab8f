// @ts-check
// <metric-chart>: draws the table inside it. The table stays, for whoever cannot see a drawing.
//
//   <metric-chart id="loss" data-unit="ms" data-markers='[{"at": 1732240000, "label": "reload"}]'>
//     <details><table> <caption>loss</caption>
//       <thead><tr><th>Time</th><th>algo-1</th>…   a line for each column but the first
//       <tbody><tr><th data-x="1732240000">…</th><td>0.25</td>…   seconds since the epoch, or a step
//
// `data-x` may be missing where the first cell has a <time> or a number. A cell without a number is
// a gap. When a live block replaces the table, or the whole element, the drawing goes on.

import { Drawing } from "./chart-drawing.js";
import { dataOf } from "./chart-table.js";
import { morph } from "./morph.js";

/** Drawings whose element was taken out of the page a moment ago. @type {Map<string, Drawing>} */
const resting = new Map();

class MetricChart extends HTMLElement {
  connectedCallback() {
    const drawing = resting.get(this.#key());
    resting.delete(this.#key());
    this.drawing = drawing ?? null;
    this.tables = new MutationObserver((records) => {
      const isOwn = records.every((record) => this.drawing?.root.contains(record.target));
      if (!isOwn) this.#update();
    });
    this.tables.observe(this, { childList: true, subtree: true, characterData: true });
    this.themes = new MutationObserver(() => this.drawing?.hasStarted && this.drawing.draw());
    this.themes.observe(document.documentElement, { attributeFilter: ["data-theme"] });
    this.scheme = matchMedia("(prefers-color-scheme: dark)");
    this.scheme.onchange = () => this.drawing?.hasStarted && this.drawing.draw();
    this.#update();
  }

  disconnectedCallback() {
    this.tables?.disconnect();
    this.themes?.disconnect();
    if (this.scheme) this.scheme.onchange = null;
    const { drawing } = this;
    if (!drawing) return;
    const key = this.#key();
    resting.set(key, drawing);
    setTimeout(() => {
      if (resting.get(key) !== drawing) return;
      resting.delete(key);
      drawing.close();
    }, 1000);
  }

  /**
   * A live block has this chart anew: the drawing stays, the rest becomes what came.
   * @param {Element} to
   */
  renew(to) {
    for (const { name, value } of to.attributes) this.setAttribute(name, value);
    const own = [...this.children].filter((child) => child !== this.drawing?.root);
    const fresh = [...to.children];
    fresh.forEach((next, index) => {
      const there = own[index];
      if (there && there.nodeName === next.nodeName) morph(there, next);
      else if (there) there.replaceWith(next);
      else this.append(next);
    });
    for (const rest of own.slice(fresh.length)) rest.remove();
    this.#update();
  }

  #key() {
    return this.id || this.querySelector("caption")?.textContent || "";
  }

  #update() {
    const table = this.querySelector("table");
    if (!table || !(/** @type {any} */ (globalThis).uPlot)) return;
    const data = dataOf(table);
    if (data.x.length === 0 || data.labels.length === 0) return;
    const title = table.caption?.textContent?.trim() ?? "";
    const drawing = (this.drawing ??= new Drawing(data, this.dataset.unit ?? "", title));
    drawing.markers = JSON.parse(this.dataset.markers ?? "[]");
    if (drawing.root.parentElement !== this) {
      const before = [...this.children].find((child) => child.contains(table)) ?? null;
      this.insertBefore(drawing.root, before);
    }
    drawing.show(data);
    this.tables?.takeRecords();
  }
}

customElements.define("metric-chart", MetricChart);
