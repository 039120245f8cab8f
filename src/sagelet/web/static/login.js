// @ts-check
// Signs in with the token that the address carries in its fragment, where no server sees it.
const token = new URLSearchParams(location.hash.slice(1)).get("t");
const form = document.querySelector("#login");
if (token && form instanceof HTMLFormElement) {
  history.replaceState(null, "", location.pathname + location.search);
  const field = form.elements.namedItem("token");
  if (field instanceof HTMLInputElement) {
    field.value = token;
    form.submit();
  }
}
