// @ts-check
// Says things to those who do not see the page: one polite live region, at most a sentence a second.

const PAUSE_MS = 1000;

/** @type {HTMLElement | null} */
let region = null;
/** @type {string[]} */
let waiting = [];
let isPausing = false;

/** @param {string} text */
export function announce(text) {
  if (!waiting.includes(text)) waiting.push(text);
  if (!isPausing) speak();
}

function speak() {
  isPausing = waiting.length > 0;
  if (!isPausing) return;
  if (!region) {
    region = document.createElement("p");
    region.className = "visually-hidden";
    region.setAttribute("role", "status");
    document.body.append(region);
  }
  region.textContent = waiting.join(". ");
  waiting = [];
  setTimeout(speak, PAUSE_MS);
}
