// @ts-check
// A drawing of a table's lines by uPlot, with a legend whose entries switch them, and a cursor that
// the arrow keys move. Colours are the theme's.

/** @typedef {import("./chart-table.js").Data} Data */

const ROOM = 30;
const HEIGHT = 200;
const COLOURS = 8;
/**
 * How times are told at the axis, by the seconds from tick to tick: uPlot's columns are the step,
 * the text, and what is added where a year, a day or a minute begins.
 */
const TIMES = [
  [31_536_000, "{YYYY}", null, null, null, null, null, null, 1],
  [86_400, "{YYYY}-{MM}-{DD}", null, null, null, null, null, null, 1],
  [60, "{HH}:{mm}", "\n{YYYY}-{MM}-{DD}", null, "\n{YYYY}-{MM}-{DD}", null, null, null, 1],
  [0, "{HH}:{mm}:{ss}", "\n{YYYY}-{MM}-{DD}", null, "\n{YYYY}-{MM}-{DD}", null, null, null, 1],
];

/** @param {string} name */
function property(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/** @param {number | null | undefined} value */
function shown(value) {
  return value === null || value === undefined ? "–" : String(Number(value.toPrecision(5)));
}

export class Drawing {
  /** @param {Data} data @param {string} unit @param {string} title */
  constructor(data, unit, title) {
    this.data = data;
    this.unit = unit;
    this.title = title;
    /** @type {{at: number, label: string}[]} */
    this.markers = [];
    this.root = document.createElement("div");
    this.root.className = "chart-drawing";
    this.area = document.createElement("div");
    this.area.className = "chart-area";
    this.area.tabIndex = 0;
    this.area.setAttribute("role", "slider");
    this.area.setAttribute("aria-label", `${title}, value by value`);
    this.area.addEventListener("keydown", (event) => this.#key(event));
    this.legend = document.createElement("ul");
    this.legend.className = "chart-legend";
    this.root.append(this.area, this.legend);
    /** @type {HTMLElement[]} */
    this.values = [];
    /** @type {any} */
    this.plot = null;
    this.sizes = new ResizeObserver(() => this.#resize());
    this.sizes.observe(this.area);
  }

  get hasStarted() {
    return this.plot !== null;
  }

  draw() {
    this.plot?.destroy();
    const make = /** @type {any} */ (globalThis).uPlot;
    this.#fillLegend();
    this.plot = new make(this.#options(), [this.data.x, ...this.data.columns], this.area);
    this.#tell(null);
  }

  /** @param {Data} data */
  show(data) {
    const isSame = data.labels.join("\n") === this.data.labels.join("\n");
    const { min, max } = this.plot?.scales.x ?? {};
    const isZoomed = min > (this.data.x[0] ?? 0) || max < (this.data.x.at(-1) ?? 0);
    this.data = data;
    if (!isSame || !this.plot) return this.draw();
    this.plot.setData([data.x, ...data.columns], !isZoomed);
    if (isZoomed) this.plot.redraw();
    this.#tell(this.plot.cursor.idx);
  }

  close() {
    this.sizes.disconnect();
    this.plot?.destroy();
  }

  #options() {
    const text = property("--muted");
    const line = { stroke: property("--line"), width: 1 };
    const axis = { stroke: text, grid: line, ticks: line, font: "12px system-ui, sans-serif" };
    const width = Math.max(120, this.area.clientWidth);
    return {
      width,
      height: HEIGHT,
      legend: { show: false },
      scales: { x: { time: this.data.isTime, range: this.#range.bind(this) } },
      axes: [
        { ...axis, space: 70, ...(this.data.isTime ? { values: TIMES } : {}) },
        {
          ...axis,
          size: 66,
          values: (/** @type {any} */ _plot, /** @type {number[]} */ at) =>
            at.map((value) => (this.unit ? `${shown(value)} ${this.unit}` : shown(value))),
        },
      ],
      series: [
        {},
        ...this.data.labels.map((label, index) => ({
          label,
          stroke: property(`--c${(index % COLOURS) + 1}`),
          width: 1.5,
          spanGaps: true,
          points: { show: this.data.x.length < 40 },
        })),
      ],
      hooks: {
        setCursor: [(/** @type {any} */ plot) => this.#tell(plot.cursor.idx)],
        draw: [(/** @type {any} */ plot) => this.#drawMarkers(plot)],
      },
    };
  }

  /**
   * The range of the horizontal axis. One point alone has some room on either side: uPlot would
   * give it years.
   * @param {unknown} _plot @param {number} least @param {number} most
   */
  #range(_plot, least, most) {
    const [first = 0, second] = this.data.x;
    return second === undefined ? [first - ROOM, first + ROOM] : [least, most];
  }

  /** @param {any} plot */
  #drawMarkers(plot) {
    /** @type {CanvasRenderingContext2D} */
    const canvas = plot.ctx;
    canvas.save();
    canvas.strokeStyle = canvas.fillStyle = property("--warn");
    canvas.font = `${11 * devicePixelRatio}px system-ui, sans-serif`;
    canvas.setLineDash([4, 4]);
    for (const { at, label } of this.markers) {
      if (at < plot.scales.x.min || at > plot.scales.x.max) continue;
      const x = plot.valToPos(at, "x", true);
      canvas.beginPath();
      canvas.moveTo(x, plot.bbox.top);
      canvas.lineTo(x, plot.bbox.top + plot.bbox.height);
      canvas.stroke();
      canvas.fillText(label.slice(0, 40), x + 4, plot.bbox.top + 12 * devicePixelRatio);
    }
    canvas.restore();
  }

  #fillLegend() {
    this.values = [];
    const entries = this.data.labels.map((label, index) => {
      const entry = document.createElement("li");
      const button = document.createElement("button");
      const swatch = document.createElement("span");
      const value = document.createElement("span");
      button.type = "button";
      button.className = "chart-series";
      button.setAttribute("aria-pressed", "true");
      button.addEventListener("click", () => {
        const isOn = button.getAttribute("aria-pressed") !== "true";
        button.setAttribute("aria-pressed", String(isOn));
        this.plot.setSeries(index + 1, { show: isOn });
      });
      swatch.className = "chart-swatch";
      swatch.dataset.series = String((index % COLOURS) + 1);
      value.className = "chart-value";
      this.values.push(value);
      button.append(swatch, ` ${label} `, value);
      entry.append(button);
      return entry;
    });
    this.legend.replaceChildren(...entries);
  }

  /** Says what the values are at a place, or at the end. @param {number | null | undefined} index */
  #tell(index) {
    const last = this.data.x.length - 1;
    const at = Math.min(index ?? last, last);
    const isEnd = index === null || index === undefined;
    const said = this.data.columns.map((column, number) => {
      // At the end each line tells its last value: one may have ended before the others.
      const value = isEnd ? column.findLast((each) => each !== null) : column[at];
      const text = `${shown(value)}${this.unit ? ` ${this.unit}` : ""}`;
      const place = this.values[number];
      if (place) place.textContent = text;
      return `${this.data.labels[number]} ${text}`;
    });
    const x = this.data.x[at] ?? 0;
    const when = this.data.isTime ? new Date(x * 1000).toLocaleTimeString() : String(x);
    this.area.setAttribute("aria-valuemin", "0");
    this.area.setAttribute("aria-valuemax", String(Math.max(last, 0)));
    this.area.setAttribute("aria-valuenow", String(Math.max(at, 0)));
    this.area.setAttribute("aria-valuetext", `${when}: ${said.join(", ")}`);
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const last = this.data.x.length - 1;
    const at = this.plot.cursor.idx ?? last;
    /** @type {Record<string, number>} */
    const places = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: last };
    const wanted = places[event.key];
    if (wanted === undefined || last < 0) return;
    event.preventDefault();
    const index = Math.max(0, Math.min(last, wanted));
    const left = this.plot.valToPos(this.data.x[index], "x");
    this.plot.setCursor({ left, top: this.plot.over.clientHeight / 2 });
  }

  #resize() {
    const width = this.area.clientWidth;
    if (this.plot && width > 0 && width !== this.plot.width) {
      this.plot.setSize({ width, height: HEIGHT });
    }
  }
}
