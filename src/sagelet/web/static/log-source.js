// @ts-check
// Where a log's lines come from: the page that the server rendered, then /api/v1/logs. What is held
// is a stretch without gaps; `older` and `newer` say what to ask for at its ends.

import { Lines } from "./log-lines.js";

/** @typedef {import("./log-lines.js").Line} Line */
/** @typedef {{lines: Line[], older: number | null, newer: number | null}} Page */

const LIMIT = 500;
const TURNS = 8;
/** How long after its time a line of another host may come. */
const LATE_MS = 1000;

/** @param {string | undefined} text */
function timeOf(text) {
  return text ? Number(text) : null;
}

export class LogSource {
  /** @param {DOMStringMap} data the element's @param {Line[]} rendered */
  constructor(data, rendered) {
    this.address = data.source ?? "";
    this.lines = new Lines();
    this.lines.replace(rendered);
    this.older = timeOf(data.older);
    this.newer = timeOf(data.newer);
    this.skipped = false;
    /** Whether the last question had no answer. */
    this.isAway = false;
    /** Counts the stretches: what was asked for another one is no longer wanted. */
    this.stretch = 0;
  }

  get isAtEnd() {
    return this.newer === null;
  }

  /** Whether a time is within what is held. @param {number} ms */
  has(ms) {
    const { all } = this.lines;
    const first = all[0]?.ms ?? Infinity;
    const last = this.newer ?? Infinity;
    return (ms >= first || this.older === null) && ms <= last;
  }

  async fetchOlder() {
    const page = this.older === null ? null : await this.#askMore({ before: this.older });
    if (!page) return false;
    this.older = page.older;
    this.lines.prepend(page.lines);
    return true;
  }

  async fetchNewer() {
    const page = this.newer === null ? null : await this.#askMore({ after: this.newer });
    if (!page) return false;
    this.newer = page.newer;
    this.lines.append(page.lines);
    return true;
  }

  /** Fetch what was written since; of very much only its end. */
  async follow() {
    let added = 0;
    /** @type {number | null} */
    let from = Math.max(0, (this.lines.all.at(-1)?.ms ?? 0) - LATE_MS);
    for (let turn = 0; turn < TURNS && from !== null; turn += 1) {
      /** @type {Page | null} */
      const page = await this.#askMore({ after: from });
      if (!page) return added > 0;
      added += this.lines.append(page.lines);
      from = page.newer;
    }
    if (from === null) return added > 0;
    this.skipped = true;
    return this.fetchNewest();
  }

  async fetchNewest() {
    return this.#replace({});
  }

  /** @param {number} ms */
  async fetchFrom(ms) {
    return this.#replace({ after: ms });
  }

  /** Forget what is too much, at the end that nobody looks at. @param {number} most @param {boolean} isFollowing */
  trim(most, isFollowing) {
    const { all } = this.lines;
    if (all.length <= most) return;
    const kept = Math.floor(most * 0.75);
    const cut = isFollowing ? all[all.length - kept] : all[kept];
    if (!cut) return;
    // A time is wholly in or out, or a line would be lost between what is held and what is asked.
    if (isFollowing) {
      this.lines.keep(all.findIndex((line) => line.ms >= cut.ms), all.length);
      this.older = cut.ms;
    } else {
      this.lines.keep(0, all.findIndex((line) => line.ms >= cut.ms));
      this.newer = cut.ms;
    }
  }

  /** @param {Record<string, number>} where */
  async #replace(where) {
    this.stretch += 1;
    const page = await this.#askMore(where);
    if (!page) return false;
    this.lines.replace(page.lines);
    this.older = page.older;
    this.newer = page.newer;
    return true;
  }

  /** @param {Record<string, number>} where @returns {Promise<Page | null>} */
  async #askMore(where) {
    const { stretch } = this;
    const page = await this.#ask(where);
    return stretch === this.stretch ? page : null;
  }

  /** @param {Record<string, number>} where @returns {Promise<Page | null>} */
  async #ask(where) {
    const query = new URLSearchParams({ styled: "1", limit: String(LIMIT) });
    for (const [name, value] of Object.entries(where)) query.set(name, String(value));
    try {
      const answer = await fetch(`${this.address}&${query}`, { cache: "no-store" });
      this.isAway = !answer.ok;
      return answer.ok ? await answer.json() : null;
    } catch {
      this.isAway = true; // the stream of events says when it is back
      return null;
    }
  }
}
