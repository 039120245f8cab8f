// @ts-check
// A file input that also takes what is dropped on it or pasted, and shows pictures and sounds.

/** @param {HTMLElement} place around a file input */
export function takeFiles(place) {
  const input = place.querySelector("input[type=file]");
  if (!(input instanceof HTMLInputElement)) return;
  input.addEventListener("change", () => show(place, input.files?.[0]));
  place.addEventListener("dragover", (event) => {
    event.preventDefault();
    place.dataset.over = "";
  });
  place.addEventListener("dragleave", () => delete place.dataset.over);
  place.addEventListener("drop", (event) => {
    event.preventDefault();
    delete place.dataset.over;
    choose(input, event.dataTransfer?.files);
  });
  document.addEventListener("paste", (event) => {
    const files = event.clipboardData?.files;
    if (!files?.length || !place.isConnected) return;
    event.preventDefault();
    choose(input, files);
  });
}

/** @param {HTMLInputElement} input @param {FileList | undefined} files */
function choose(input, files) {
  const file = files?.[0];
  if (!file) return;
  const one = new DataTransfer();
  one.items.add(file);
  input.files = one.files;
  input.dispatchEvent(new Event("input", { bubbles: true }));
  input.dispatchEvent(new Event("change", { bubbles: true }));
}

/** @param {HTMLElement} place @param {File | undefined} file */
function show(place, file) {
  const preview = place.querySelector("[data-preview]");
  const old = preview?.querySelector("[src^='blob:']");
  if (old) URL.revokeObjectURL(old.getAttribute("src") ?? "");
  preview?.replaceChildren();
  if (!preview || !file) return;
  const kind = file.type.split("/")[0];
  if (kind === "image" && file.type !== "image/svg+xml") {
    const picture = document.createElement("img");
    picture.alt = file.name;
    picture.src = URL.createObjectURL(file);
    preview.append(picture);
  } else if (kind === "audio") {
    const sound = document.createElement("audio");
    sound.controls = true;
    sound.setAttribute("aria-label", file.name);
    sound.src = URL.createObjectURL(file);
    preview.append(sound);
  }
}
