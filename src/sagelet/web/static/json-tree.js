// @ts-check
// <json-tree>: one button that copies the path of the value under the pointer or the focus, and
// keys that fold: Alt-click, or * on a summary, opens or closes all that is below.

import { announce } from "./announce.js";

const COPIED_MS = 1500;

class JsonTree extends HTMLElement {
  connectedCallback() {
    /** @type {HTMLButtonElement | null} */
    this.button = null;
    this.addEventListener("pointerover", (event) => this.offer(event.target));
    this.addEventListener("focusin", (event) => this.offer(event.target));
    this.addEventListener("click", (event) => {
      if (event.altKey) this.foldAll(event.target);
    });
    this.addEventListener("keydown", (event) => {
      if (event.key === "*") this.foldAll(event.target);
    });
  }

  /** @param {EventTarget | null} target */
  offer(target) {
    if (!(target instanceof Element) || target === this.button) return;
    const value = target.closest("[data-path]");
    if (!(value instanceof HTMLElement) || !this.contains(value)) return;
    const button = this.button ?? this.makeButton();
    const place = value instanceof HTMLDetailsElement ? value.querySelector("summary") : value;
    button.dataset.path = value.dataset.path ?? "";
    name(button);
    // Beside the summary, not in it: there, pressing it would fold, too.
    if (place?.nextElementSibling !== button) place?.after(button);
  }

  makeButton() {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "copy";
    button.addEventListener("click", async (event) => {
      event.stopPropagation();
      await navigator.clipboard.writeText(button.dataset.path ?? "");
      button.textContent = "Copied";
      button.removeAttribute("aria-label");
      announce("Copied");
      setTimeout(() => name(button), COPIED_MS);
    });
    this.button = button;
    return button;
  }

  /** @param {EventTarget | null} target */
  foldAll(target) {
    const details = target instanceof Element ? target.closest("summary")?.parentElement : null;
    if (!(details instanceof HTMLDetailsElement)) return;
    const open = !details.open;
    for (const inner of details.querySelectorAll("details")) inner.open = open;
    details.open = open;
  }
}

/** @param {HTMLButtonElement} button */
function name(button) {
  button.textContent = "Copy path";
  button.setAttribute("aria-label", `Copy path ${button.dataset.path ?? ""}`);
}

customElements.define("json-tree", JsonTree);
