// @ts-check
// Signs in with the token that the address carries in its fragment, where no server sees it.
//
// A browser that is signed in already and came by a link of another site goes on to where the link
// led: its cookie was kept back from that request, and is not from what this page asks for.

const form = document.querySelector("#login");
if (form instanceof HTMLFormElement) {
  const token = new URLSearchParams(location.hash.slice(1)).get("t");
  if (token) signIn(form, token);
  else void goOn(form);
}

/**
 * @param {HTMLFormElement} form
 * @param {string} token
 */
function signIn(form, token) {
  history.replaceState(null, "", location.pathname + location.search);
  const field = form.elements.namedItem("token");
  if (!(field instanceof HTMLInputElement)) return;
  field.value = token;
  form.submit();
}

/** @param {HTMLFormElement} form */
async function goOn(form) {
  const field = form.elements.namedItem("next");
  if (!(field instanceof HTMLInputElement)) return;
  // Whoever is not signed in is sent back here.
  const answer = await fetch(field.value, { method: "HEAD", redirect: "manual" });
  if (answer.type !== "opaqueredirect") location.replace(field.value);
}
