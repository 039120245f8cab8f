// @ts-check
// The predict form: its fields and the raw body are one state. Whatever is typed into the fields,
// the body below shows the exact bytes that are sent; what is typed there is sent as it is, and the
// fields follow it where they can. Without scripts the server does the same with what is submitted.

import { announce } from "./announce.js";
import { valuesOf } from "./body-reading.js";
import { fill } from "./body-template.js";
import { takeFiles } from "./file-drop.js";
import { growRows } from "./form-rows.js";
import { holdsSecret } from "./form-state.js";
import { readValues, writeValues } from "./form-values.js";
import { NotJson, parse } from "./json-text.js";
import { asCells } from "./number-grid.js";
import { plainBody } from "./plain-body.js";

/** @typedef {import("./body-template.js").Template} Template */

const WAIT_MS = 60;
const LONG_TEXT = 200_000;
const LARGE = 6_000_000;
const LARGEST = 25_000_000;
const MASK = "•••";

export class PayloadForm extends HTMLElement {
  connectedCallback() {
    if (this.raw) return;
    const source = this.querySelector("[data-template]")?.textContent;
    const raw = this.querySelector("[name='body.raw']");
    if (!source || !(raw instanceof HTMLTextAreaElement)) return;
    /** @type {Template} */
    this.template = JSON.parse(source);
    this.raw = raw;
    this.fields = this.querySelector("[data-fields]");
    this.isFileAs = this.template.encoding === "file";
    for (const table of this.querySelectorAll("[data-rows]")) if (table instanceof HTMLElement) growRows(table);
    for (const place of this.querySelectorAll("[data-drop]")) if (place instanceof HTMLElement) takeFiles(place);
    this.drawGrids();
    const modes = this.querySelector("[data-modes]");
    if (modes instanceof HTMLElement) modes.hidden = true;
    this.listen(raw);
    if (this.isRaw) this.followRaw();
    else this.followFields();
  }

  /** @param {HTMLTextAreaElement} raw */
  listen(raw) {
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let timer;
    this.addEventListener("input", (event) => {
      if (event.target instanceof HTMLInputElement && event.target.type === "range") this.showSlider(event.target);
      const isRaw = event.target === raw;
      if (!isRaw && !(event.target instanceof Node && this.fields?.contains(event.target))) return;
      // At once, so that a form that is sent in the next moment sends this.
      if (raw.value.length < LONG_TEXT) return isRaw ? this.rawTyped() : this.followFields();
      clearTimeout(timer);
      timer = setTimeout(() => (isRaw ? this.rawTyped() : this.followFields()), WAIT_MS);
    });
    this.addEventListener("change", (event) => {
      if (event.target instanceof HTMLInputElement && event.target.type === "file") this.fileChosen(event.target);
    });
    this.querySelector("[data-reset]")?.addEventListener("click", () => this.reset());
    const form = this.closest("form");
    if (!form) return;
    // What a field refuses is said here, beside the field, and by the server.
    form.noValidate = true;
    form.addEventListener("submit", () => clearTimeout(timer));
    form.addEventListener("formdata", (event) => this.trim(event.formData));
  }

  /** Whether the raw text is what is sent, whatever the fields hold. */
  get isRaw() {
    return this.modeInputs.some((input) => input.value === "raw" && (input.checked || input.type === "hidden"));
  }

  get modeInputs() {
    return [...this.querySelectorAll("[name='body.mode']")].filter((input) => input instanceof HTMLInputElement);
  }

  /** @param {"form" | "raw"} mode */
  setMode(mode) {
    for (const input of this.modeInputs) if (input.type === "radio") input.checked = input.value === mode;
  }

  /** Show the bytes that the fields make. */
  followFields() {
    if (!this.template || !this.raw || !this.fields) return;
    this.setMode("form");
    this.note(false);
    if (this.isFileAs) return this.say("The file is sent as it is.");
    const { text, errors } = this.made();
    this.showErrors(errors);
    if (errors.size) return this.say("There is nothing to send until the fields are mended.");
    const isMasked = holdsSecret(this);
    this.raw.value = (isMasked ? this.made(MASK).text : text) ?? "";
    this.raw.readOnly = isMasked;
    // The very text that is shown is what is sent, but for a secret, which is not shown.
    if (this.template.encoding === "json" && !isMasked) this.setMode("raw");
    if (text !== null) this.sayWeight(new Blob([text]).size);
    else if (this.template.fields.length > 1) this.say("The fields are the cells of one line.");
  }

  /**
   * @param {string} [mask] what stands for a secret
   * @returns {{text: string | null, errors: Map<string, string>}}
   */
  made(mask) {
    const template = /** @type {Template} */ (this.template);
    const values = readValues(/** @type {Element} */ (this.fields));
    if (mask) for (const field of template.fields) if (field.isSecret) values.set(field.key, [mask]);
    if (template.encoding === "json") return fill(template, values);
    const made = plainBody(template, values);
    if (made.array) this.say(`${weight(made.array.length)}, as NumPy's file`);
    return made;
  }

  rawTyped() {
    this.setMode("raw");
    this.note(this.template?.encoding !== "json");
    this.followRaw();
  }

  /** Show in the fields what the raw text says, where it has their shape. */
  followRaw() {
    if (!this.template || !this.raw) return;
    const text = this.raw.value;
    if (!this.fields || this.template.encoding !== "json") return this.judge(text);
    let values = null;
    try {
      values = valuesOf(this.template, text);
    } catch (error) {
      if (!(error instanceof NotJson)) throw error;
    }
    if (values) writeValues(this.fields, values);
    this.note(!values);
    this.showErrors(new Map());
    this.judge(text);
  }

  /** @param {string} text */
  judge(text) {
    const type = this.querySelector("[name=content_type]");
    const isJson = type instanceof HTMLInputElement && /\bjson\b/.test(type.value) && !/jsonlines/.test(type.value);
    if (isJson && text && text.length <= LARGE) {
      try {
        parse(text);
      } catch (error) {
        if (!(error instanceof NotJson)) throw error;
        return this.say(`Not JSON: ${error.message}`, true);
      }
    }
    this.sayWeight(new Blob([text]).size);
  }

  reset() {
    this.note(false);
    this.followFields();
    announce("The fields are sent again");
    this.fields?.querySelector("input, select, textarea")?.dispatchEvent(new Event("focus"));
  }

  /** @param {boolean} isOn whether the fields have nothing to say @returns {void} */
  note(isOn) {
    const note = this.querySelector("[data-raw-note]");
    if (note instanceof HTMLElement) note.hidden = !isOn;
    if (this.fields instanceof HTMLFieldSetElement) this.fields.disabled = isOn;
  }

  /** @param {HTMLInputElement} input */
  fileChosen(input) {
    const file = input.files?.[0];
    const type = this.querySelector("[name=content_type]");
    if (file?.type && type instanceof HTMLInputElement && (this.isFileAs || input.name === "body.file")) type.value = file.type;
    if (input.name === "body.file") this.setMode(file ? "raw" : "form");
    if (file) this.sayWeight(file.size, file.name);
  }

  /** @param {HTMLInputElement} input */
  showSlider(input) {
    const output = input.parentElement?.querySelector("output");
    if (output) output.textContent = input.value;
  }

  drawGrids() {
    for (const kind of ["grid", "numbers"]) {
      for (const area of this.querySelectorAll(`[data-kind=${kind}] textarea`)) {
        if (area instanceof HTMLTextAreaElement) asCells(area, kind === "numbers");
      }
    }
  }

  /** Send the text once: the fields that made it are not needed, nor the text that they replace. @param {FormData} sent */
  trim(sent) {
    if (!this.isRaw) sent.delete("body.raw");
    else if ((this.raw?.value.length ?? 0) > LONG_TEXT) for (const key of [...sent.keys()]) if (key.startsWith("f.")) sent.delete(key);
  }

  /** @param {Map<string, string>} errors */
  showErrors(errors) {
    for (const old of this.querySelectorAll(".field .error:not([data-says-body])")) old.remove();
    for (const control of this.querySelectorAll("[aria-invalid]")) {
      control.removeAttribute("aria-invalid");
      const rest = (control.getAttribute("aria-describedby") ?? "").split(" ").filter((id) => !/-error/.test(id));
      control.setAttribute("aria-describedby", rest.join(" "));
    }
    let number = 0;
    for (const [key, message] of errors) {
      const control = this.querySelector(`[name="${CSS.escape(key)}"]`);
      const line = document.createElement("p");
      number += 1;
      line.id = `typed-error-${number}`;
      line.className = "error";
      line.dataset.testid = "field-error";
      line.textContent = message;
      control?.closest("[data-field]")?.append(line);
      control?.setAttribute("aria-invalid", "true");
      control?.setAttribute("aria-describedby", `${control.getAttribute("aria-describedby") ?? ""} ${line.id}`.trim());
    }
  }

  /** @param {number} bytes @param {string} [name] */
  sayWeight(bytes, name = "") {
    const what = `${name ? `${name}, ` : ""}${weight(bytes)}`;
    if (bytes > LARGEST) this.say(`${what}: no endpoint takes more than 25 MB`, true);
    else if (bytes > LARGE) this.say(`${what}: older endpoints of SageMaker take 6 MB, newer ones 25 MB`, true);
    else this.say(what);
  }

  /** @param {string} text @param {boolean} [isProblem] @returns {void} */
  say(text, isProblem = false) {
    const line = this.querySelector("[data-says-body]");
    if (!line) return;
    line.textContent = text;
    line.className = isProblem ? "error" : "help";
  }
}

/** @param {number} bytes */
function weight(bytes) {
  if (bytes < 1000) return `${bytes} B`;
  return bytes < 1e6 ? `${(bytes / 1000).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

customElements.define("payload-form", PayloadForm);
