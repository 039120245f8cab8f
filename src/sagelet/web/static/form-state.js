// @ts-check
// What a link or a history may hold of a predict form, and how it is filled in from there.

/** @typedef {Record<string, string[]>} State */

const STATE = ["body.raw", "content_type", "accept"];

/** Whether a secret is filled in, which no link and no page may show. @param {Element} form */
export function holdsSecret(form) {
  return [...form.querySelectorAll("[data-secret]")].some((input) => input instanceof HTMLInputElement && input.value !== "");
}

/**
 * What the form sends, but nothing at all while it holds a secret.
 * @param {HTMLFormElement} form @returns {State}
 */
export function readState(form) {
  if (holdsSecret(form)) return {};
  return Object.fromEntries(STATE.map((name) => [name, [controlOf(form, name)?.value ?? ""]]));
}

/** Fill a form in; nothing runs. @param {HTMLFormElement} form @param {State} state */
export function writeState(form, state) {
  for (const name of STATE) {
    const control = controlOf(form, name);
    const value = state[name]?.[0];
    if (!control || value === undefined) continue;
    control.value = value;
    // As if it had been typed, so that the fields follow.
    control.dispatchEvent(new Event("input", { bubbles: true }));
  }
}

/** @param {HTMLFormElement} form @param {string} name */
function controlOf(form, name) {
  const found = form.elements.namedItem(name);
  return found instanceof HTMLInputElement || found instanceof HTMLTextAreaElement ? found : null;
}
