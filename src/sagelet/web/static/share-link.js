// @ts-check
// A form's content in the address's fragment, which no server and no log ever sees: #s=… holds it
// as JSON, deflated, in base64url. Opening such a link fills the form in, and runs nothing.

import { announce } from "./announce.js";

const MOST_CHARACTERS = 8000;
const MOST_BYTES = 2_000_000;
const SAID_MS = 2500;
/** What is shared: the body as the raw editor has it, and what the pickers say. */
const SHARED = ["body.raw", "content_type", "accept", "target_variant", "target_model"];

/** @param {HTMLFormElement} form */
export function begin(form) {
  if (!("CompressionStream" in globalThis)) return;
  const button = form.querySelector("[data-share]");
  if (button instanceof HTMLButtonElement) {
    button.hidden = false;
    button.addEventListener("click", () => void share(form, button));
  }
  void fillFromAddress(form);
  addEventListener("hashchange", () => void fillFromAddress(form));
}

/** @param {HTMLFormElement} form @param {HTMLButtonElement} button */
async function share(form, button) {
  const secrets = [...form.querySelectorAll("input[type=password]")];
  if (secrets.some((each) => each instanceof HTMLInputElement && each.value)) {
    return say(button, "A secret is filled in: it is not for a link");
  }
  /** @type {Record<string, string>} */
  const state = {};
  for (const name of SHARED) {
    const value = field(form, name)?.value;
    if (value) state[name] = value;
  }
  const packed = await pack(JSON.stringify(state));
  if (!state["body.raw"]) return say(button, "Files cannot be shared by a link");
  if (packed.length > MOST_CHARACTERS) return say(button, "Too large for a link: save it as an example");
  history.replaceState(null, "", `#s=${packed}`);
  await navigator.clipboard.writeText(location.origin + location.pathname + location.hash);
  say(button, "Link copied");
}

/** @param {HTMLFormElement} form */
async function fillFromAddress(form) {
  const packed = new URLSearchParams(location.hash.slice(1)).get("s");
  if (!packed || packed.length > MOST_CHARACTERS) return;
  const state = await unpack(packed).then(JSON.parse).catch(() => null);
  // What begins later would show what the server has filled in.
  if (form.querySelector("payload-form")) await customElements.whenDefined("payload-form");
  if (!state || typeof state !== "object") {
    announce("This link holds no input that can be read");
    return;
  }
  for (const name of SHARED) {
    const control = field(form, name);
    if (!control || typeof state[name] !== "string") continue;
    control.value = state[name];
    // As if it had been typed, so that the fields follow the raw editor.
    control.dispatchEvent(new Event("input", { bubbles: true }));
    control.dispatchEvent(new Event("change", { bubbles: true }));
  }
  announce("Filled in from the link; nothing has run");
}

/** @param {HTMLFormElement} form @param {string} name */
function field(form, name) {
  const found = form.elements.namedItem(name);
  const isText = found instanceof HTMLInputElement || found instanceof HTMLTextAreaElement;
  return isText || found instanceof HTMLSelectElement ? found : null;
}

/** @param {HTMLButtonElement} button @param {string} text */
function say(button, text) {
  button.dataset.words ??= button.textContent ?? "";
  button.textContent = text;
  announce(text);
  setTimeout(() => {
    button.textContent = button.dataset.words ?? "";
  }, SAID_MS);
}

/** @param {string} text */
async function pack(text) {
  const stream = new Blob([text]).stream().pipeThrough(new CompressionStream("deflate-raw"));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** @param {string} packed */
async function unpack(packed) {
  const binary = atob(packed.replaceAll("-", "+").replaceAll("_", "/"));
  const bytes = Uint8Array.from(binary, (letter) => letter.charCodeAt(0));
  const reader = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw")).getReader();
  const decoder = new TextDecoder();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    text += decoder.decode(value, { stream: true });
    if (text.length > MOST_BYTES) throw new Error("a small link that unpacks to a large text");
  }
}
