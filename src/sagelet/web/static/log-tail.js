// @ts-check
// <log-tail>: makes the page of a log that the server rendered an endless one. It shows the end and
// goes on with it, reads older lines when one scrolls up to them, and filters what it has.
// `#t=MS` or `#t=MS,MS` in the address leads to the lines of a time.

import { announce } from "./announce.js";
import { listen } from "./events.js";
import { LogSource } from "./log-source.js";
import { clockOf, filtered, lineOf } from "./log-lines.js";
import { Rows } from "./log-rows.js";

const MOST = 20_000;
const PAUSE_MS = 250;
const NEAR_PX = 800;
const REMEMBERED = "sagelet.log";

class LogTail extends HTMLElement {
  goToHash = () => void this.#goTo(location.hash);

  connectedCallback() {
    const scroller = /** @type {HTMLElement} */ (this.querySelector(".log-lines"));
    const rendered = /** @type {HTMLElement[]} */ ([...scroller.querySelectorAll(".log-line")]);
    this.source = new LogSource(this.dataset, rendered.map(lineOf));
    this.empty = scroller.querySelector(".empty");
    this.rows = new Rows(scroller);
    this.state = /** @type {HTMLElement} */ (this.querySelector(".log-state"));
    this.wanted = { text: "", stream: "", level: "" };
    this.isFollowing = this.source.isAtEnd;
    this.isFetching = false;
    this.isDue = false;
    this.#begin(scroller);
    this.stop = listen([this.dataset.topic ?? ""], (what) => {
      if (what.kind === "log" || what.kind === "back") void this.#more();
    });
  }

  disconnectedCallback() {
    this.stop?.();
    this.sizes?.disconnect();
    removeEventListener("hashchange", this.goToHash);
  }

  renew() {} // a live block around it leaves it alone

  /** @param {HTMLElement} scroller */
  #begin(scroller) {
    this.dataset.live = "";
    for (const hidden of this.querySelectorAll("[hidden]")) hidden.removeAttribute("hidden");
    for (const link of this.querySelectorAll(".log-pages [rel]")) link.remove();
    this.#controls();
    let width = scroller.clientWidth;
    this.sizes = new ResizeObserver(() => {
      if (scroller.clientWidth !== width) this.rows?.relook();
      width = scroller.clientWidth;
      // A higher window moves the list, which its reader has not done.
      if (this.isFollowing) this.rows?.toEnd();
    });
    this.sizes.observe(scroller);
    scroller.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    scroller.addEventListener("click", (event) => this.#clicked(event));
    scroller.addEventListener("keydown", (event) => this.#pressed(event));
    this.#show();
    addEventListener("hashchange", this.goToHash);
    void this.#goTo(location.hash);
  }

  #controls() {
    const form = /** @type {HTMLFormElement} */ (this.querySelector("form"));
    form.addEventListener("input", (event) => this.#changed(/** @type {HTMLElement} */ (event.target)));
    form.addEventListener("click", (event) => {
      const button = event.target instanceof Element ? event.target.closest("[data-do]") : null;
      if (button?.getAttribute("data-do") === "link") this.#link(this.rows?.first?.ms);
      if (button?.getAttribute("data-do") === "copy") void this.#copy();
    });
    const remembered = JSON.parse(localStorage.getItem(REMEMBERED) ?? "{}");
    for (const box of this.#boxes()) {
      const name = box.dataset.toggle ?? "";
      box.checked = name === "follow" ? !!this.isFollowing : (remembered[name] ?? box.checked);
    }
    const text = form.querySelector("[type=search]");
    if (text instanceof HTMLInputElement && this.rows) this.rows.hit = text.value;
    this.#arrange();
  }

  #boxes() {
    return /** @type {HTMLInputElement[]} */ ([...this.querySelectorAll("[data-toggle]")]);
  }

  /** @param {string} name */
  #box(name) {
    return this.#boxes().find((box) => box.dataset.toggle === name);
  }

  /** Have the list look as the boxes say. */
  #arrange() {
    const { rows } = this;
    if (!rows) return;
    const isWrapped = this.#box("wrap")?.checked ?? true;
    rows.scroller.dataset.wrap = isWrapped ? "on" : "off";
    rows.scroller.toggleAttribute("data-times", this.#box("times")?.checked ?? true);
    rows.scroller.toggleAttribute("data-one", this.querySelector("select[name=stream]") === null);
    rows.isWrapped = isWrapped;
    rows.relook();
  }

  /** @param {HTMLElement} control */
  #changed(control) {
    if (control instanceof HTMLInputElement && control.dataset.toggle === "follow") {
      this.#follow(control.checked);
      if (control.checked) void this.#toNewest();
    } else if (control instanceof HTMLInputElement && control.dataset.toggle) {
      const boxes = this.#boxes().filter((box) => box.dataset.toggle !== "follow");
      const chosen = Object.fromEntries(boxes.map((box) => [box.dataset.toggle, box.checked]));
      localStorage.setItem(REMEMBERED, JSON.stringify(chosen));
      this.#arrange();
    } else if (control instanceof HTMLSelectElement && control.name === "stream") {
      // What the server left out cannot be shown from here.
      if (this.dataset.stream) control.form?.submit();
      else this.#filter({ stream: control.value });
    } else if (control instanceof HTMLSelectElement) this.#filter({ level: control.value });
    else if (control instanceof HTMLInputElement) this.#filter({ text: control.value });
  }

  /** @param {Partial<{text: string, stream: string, level: string}>} wanted */
  #filter(wanted) {
    Object.assign(this.wanted ?? {}, wanted);
    if (this.rows) this.rows.hit = this.wanted?.text ?? "";
    this.rows?.relook();
    this.#show();
    if (this.state) announce(this.state.textContent ?? "");
  }

  #show() {
    const { rows, source, wanted } = this;
    if (!rows || !source || !wanted || !this.state) return;
    const lines = filtered(source.lines.all, wanted);
    rows.setLines(lines);
    if (this.isFollowing) rows.toEnd();
    if (this.empty && source.lines.all.length === 0) rows.list.replaceChildren(this.empty);
    else this.empty?.remove();
    const all = source.lines.all.length;
    const parts = [`${all.toLocaleString("en")} lines${source.older === null ? "" : ", older ones above"}`];
    if (lines.length !== all) parts.push(`${lines.length.toLocaleString("en")} shown`);
    if (source.skipped) parts.push("some came faster than they can be shown and were left out");
    parts.push(this.isFollowing ? "following" : source.isAtEnd ? "not following" : "newer ones below");
    this.state.textContent = parts.join(" · ");
    this.dataset.lines = String(all);
  }

  /** @param {boolean} isFollowing */
  #follow(isFollowing) {
    this.isFollowing = isFollowing;
    const box = this.#box("follow");
    if (box) box.checked = isFollowing;
  }

  #scrolled() {
    const { rows, source } = this;
    if (!rows || !source) return;
    const { isMoved, isAtEnd } = rows; // before lines turn out to be higher than was thought
    rows.render();
    if (isMoved && this.isFollowing !== (isAtEnd && source.isAtEnd)) {
      this.#follow(!this.isFollowing);
      this.#show();
    } else if (this.isFollowing && !rows.isAtEnd) rows.toEnd();
    this.#reach();
  }

  /** @param {KeyboardEvent} event */
  #pressed(event) {
    if (event.key !== "End" || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    // Left to itself a browser glides to where the end was when the key was pressed.
    event.preventDefault();
    this.#follow(true);
    void this.#toNewest();
  }

  /** Fetch what is beyond the end that one has come near to. */
  #reach() {
    const { rows, source } = this;
    if (!rows || !source || this.isFetching) return;
    const isNearTop = rows.scroller.scrollTop < NEAR_PX;
    if (isNearTop && source.older !== null) void this.#fetch(() => source.fetchOlder());
    else if (rows.isAtEnd && !source.isAtEnd) void this.#fetch(() => source.fetchNewer());
  }

  /** Fetch what has been written since, not more often than one can look. */
  async #more() {
    if (!this.source?.isAtEnd) return;
    if (this.isFetching) {
      this.isDue = true;
      return;
    }
    await this.#fetch(() => this.source?.follow(), PAUSE_MS);
  }

  async #toNewest() {
    if (!this.source?.isAtEnd) await this.source?.fetchNewest();
    this.rows?.toEnd();
    this.#show();
  }

  /** @param {() => Promise<boolean> | undefined} fetching @param {number} [pause_ms] */
  async #fetch(fetching, pause_ms = 0) {
    if (this.isFetching) return;
    this.isFetching = true;
    if (await fetching()) {
      this.source?.trim(MOST, this.isFollowing ?? false);
      this.#show();
    }
    setTimeout(() => {
      this.isFetching = false;
      const isDue = this.isDue;
      this.isDue = false;
      if (isDue && this.source?.isAtEnd) void this.#more();
      else if (!this.source?.isAway) this.#reach();
    }, pause_ms);
  }

  /** @param {string} hash */
  async #goTo(hash) {
    const found = /^#t=(\d{1,16})(?:,(\d{1,16}))?$/.exec(hash);
    const { rows, source } = this;
    if (!found || !rows || !source) return;
    const from = Number(found[1]);
    this.#follow(false);
    rows.target = [from, Number(found[2] ?? from)];
    if (!source.has(from)) await source.fetchFrom(from);
    rows.relook();
    this.#show();
    const index = rows.lines.findIndex((line) => line.ms >= from);
    rows.toLine(index < 0 ? rows.lines.length - 1 : index);
  }

  /** @param {Event} event */
  #clicked(event) {
    const time = event.target instanceof Element ? event.target.closest(".log-time") : null;
    const row = time?.closest(".log-line");
    if (!(row instanceof HTMLElement) || !(event instanceof MouseEvent)) return;
    const begun = this.rows?.target?.[0];
    this.#link(Number(row.dataset.ms), event.shiftKey ? begun : undefined);
  }

  /** @param {number | undefined} ms @param {number} [begun] */
  #link(ms, begun) {
    if (ms === undefined) return;
    const ends = begun === undefined || begun === ms ? [ms] : [begun, ms].sort((a, b) => a - b);
    location.hash = `t=${ends.join(",")}`;
    announce("The address of this page now leads to these lines");
  }

  async #copy() {
    const lines = this.rows?.lines ?? [];
    const text = lines.map((line) => `${clockOf(line)} ${line.source} ${line.text}`).join("\n");
    await navigator.clipboard.writeText(text);
    announce(`${lines.length} lines were copied`);
  }
}

customElements.define("log-tail", LogTail);
