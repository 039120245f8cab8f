// @ts-check
// <code-snippets>: calls to paste that follow what is typed. The server writes them, so that each
// language's quoting is in one place; this fetches them anew, and tries the call with a key.
//
// The form of the Predict tab (`form[data-run]`) leaves its body here on the way to this tab.

import { announce } from "./announce.js";

const PAUSE_MS = 200;
const ANSWER_CHARACTERS = 100_000;
const CARRIED = { "body.raw": "body", content_type: "content_type", accept: "accept", target_variant: "target_variant" };

/** @typedef {{file: string | null, snippets: {key: string, code: string}[]}} Written */

class CodeSnippets extends HTMLElement {
  connectedCallback() {
    const form = this.querySelector("form[method=post]");
    if (!(form instanceof HTMLFormElement) || !form.elements.namedItem("body")) return;
    this.form = form;
    this.timer = 0;
    this.turn = 0;
    form.querySelector("[data-submit]")?.setAttribute("hidden", "");
    form.addEventListener("input", () => this.writeSoon());
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.writeSoon(0);
    });
    const save = this.querySelector("[data-save]");
    if (save instanceof HTMLButtonElement) {
      save.hidden = false;
      save.addEventListener("click", () => this.save());
    }
    if (restore(form, this.dataset.endpoint ?? "")) this.writeSoon(0);
    this.offerTrying();
  }

  disconnectedCallback() {
    clearTimeout(this.timer);
  }

  writeSoon(pause_ms = PAUSE_MS) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.write(), pause_ms);
  }

  async write() {
    const turn = (this.turn = (this.turn ?? 0) + 1);
    const asked = new URLSearchParams({
      accept: this.value("accept"),
      variant: this.value("target_variant"),
      model: this.value("target_model"),
    });
    this.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(`${this.dataset.source}?${asked}`, {
        method: "POST",
        body: this.value("body"),
        headers: { "content-type": this.value("content_type") || "application/octet-stream", "x-csrf-token": csrf() },
      });
      const told = await answer.json();
      if (turn !== this.turn) return; // something newer was typed meanwhile
      if (!answer.ok) throw new Error(told.detail);
      this.show(told);
    } catch (error) {
      if (turn === this.turn) this.tell(`The snippets are not up to date: ${error instanceof Error ? error.message : error}`);
    } finally {
      if (turn === this.turn) this.removeAttribute("aria-busy");
    }
  }

  /** @param {Written} written */
  show(written) {
    for (const { key, code } of written.snippets) {
      const place = this.querySelector(`[data-snippet="${key}"]`);
      if (place && place.textContent !== code) place.textContent = code;
    }
    const note = this.querySelector("[data-file]");
    const name = this.querySelector("[data-file-name]");
    if (note instanceof HTMLElement) note.hidden = written.file === null;
    if (name && written.file) name.textContent = written.file;
    this.tell("");
  }

  /** @param {string} problem */
  tell(problem) {
    const place = this.querySelector("[data-problem]");
    if (!(place instanceof HTMLElement)) return;
    place.hidden = problem === "";
    place.textContent = problem;
  }

  save() {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([this.value("body")]));
    link.download = this.querySelector("[data-file-name]")?.textContent ?? "payload.bin";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }

  offerTrying() {
    const section = document.querySelector("[data-try]");
    const form = section?.querySelector("form");
    if (!(section instanceof HTMLElement) || !form) return;
    section.hidden = false;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.try(section, form);
    });
  }

  /** @param {HTMLElement} section @param {HTMLFormElement} form */
  async try(section, form) {
    const status = section.querySelector("[role=status]");
    const place = section.querySelector("pre");
    const key = form.querySelector("input")?.value.trim() ?? "";
    if (!status || !place) return;
    status.textContent = "Sending…";
    place.hidden = true;
    const headers = new Headers({ authorization: `Bearer ${key}`, "content-type": this.value("content_type") });
    for (const [name, field] of [["accept", "accept"], ["x-amzn-sagemaker-target-variant", "target_variant"]]) {
      const value = this.value(field ?? "");
      if (name && value) headers.set(name, value);
    }
    try {
      const url = `/api/v1/predict/${encodeURIComponent(this.dataset.endpoint ?? "")}`;
      // Without the session: the key alone has to be good for it.
      const answer = await fetch(url, { method: "POST", credentials: "omit", headers, body: this.value("body") });
      const text = await answer.text();
      const took = answer.headers.get("x-model-latency-ms");
      status.textContent = `${answer.status} ${answer.statusText}${took ? ` · ${Number(took).toFixed(1)} ms in the model` : ""}`;
      place.textContent = text.slice(0, ANSWER_CHARACTERS);
      place.hidden = false;
    } catch (error) {
      status.textContent = `Nothing answered: ${error instanceof Error ? error.message : error}`;
    }
    announce(status.textContent);
  }

  /** @param {string} name */
  value(name) {
    return this.form ? valueOf(this.form, name) : "";
  }
}

/** @param {HTMLFormElement} form @param {string} name */
function valueOf(form, name) {
  const found = form.elements.namedItem(name);
  const isText = found instanceof HTMLInputElement || found instanceof HTMLTextAreaElement;
  return isText || found instanceof HTMLSelectElement ? found.value : "";
}

function csrf() {
  return document.querySelector("meta[name=csrf]")?.getAttribute("content") ?? "";
}

/** @param {string} endpoint */
function place(endpoint) {
  return `sagelet:call:${endpoint}`;
}

/** @param {HTMLFormElement} form @param {string} endpoint */
function restore(form, endpoint) {
  if (location.search) return false; // an example was asked for
  const kept = sessionStorage.getItem(place(endpoint));
  if (!kept) return false;
  /** @type {Record<string, string>} */
  const values = JSON.parse(kept);
  for (const [from, to] of Object.entries(CARRIED)) {
    const field = form.elements.namedItem(to);
    const isText = field instanceof HTMLInputElement || field instanceof HTMLTextAreaElement;
    if ((isText || field instanceof HTMLSelectElement) && values[from] !== undefined) field.value = values[from];
  }
  return true;
}

/** Keep what the Predict tab's form holds for the way to the API tab. @param {HTMLFormElement} form */
function carry(form) {
  const endpoint = decodeURIComponent(location.pathname.split("/")[2] ?? "");
  const values = Object.fromEntries(Object.keys(CARRIED).map((name) => [name, valueOf(form, name)]));
  try {
    if (values["body.raw"]) sessionStorage.setItem(place(endpoint), JSON.stringify(values));
    else sessionStorage.removeItem(place(endpoint));
  } catch {
    sessionStorage.removeItem(place(endpoint)); // too large to be kept
  }
}

customElements.define("code-snippets", CodeSnippets);

const run = document.querySelector("form[data-run]");
if (run instanceof HTMLFormElement) addEventListener("pagehide", () => carry(run));
