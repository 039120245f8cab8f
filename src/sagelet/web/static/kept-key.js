// @ts-check
// Keeps the API key of a public page while its window is open: in no address and in no cookie.

const field = document.querySelector("input[data-kept-key]");
if (field instanceof HTMLInputElement) {
  const name = `sagelet-key:${field.dataset.keptKey ?? ""}`;
  if (!field.value) field.value = sessionStorage.getItem(name) ?? "";
  field.addEventListener("input", () => {
    if (field.value) sessionStorage.setItem(name, field.value);
    else sessionStorage.removeItem(name);
  });
}
