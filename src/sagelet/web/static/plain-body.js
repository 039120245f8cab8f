// @ts-check
// Bodies that are no JSON, as sagelet/web/forms/encodings.py makes them: CSV, text, NumPy's file.

import { unix } from "./body-template.js";
import { cellsOf, gridOf, numberOf, Unfit } from "./body-tokens.js";
import { npy } from "./npy-writer.js";

/** @typedef {import("./body-template.js").Template} Template */
/** @typedef {import("./body-template.js").Values} Values */

/**
 * `text` is null where the body is none, or where only the server makes it.
 * @param {Template} template @param {Values} values
 * @returns {{text: string | null, errors: Map<string, string>, array?: Uint8Array}}
 */
export function plainBody(template, values) {
  const [field] = template.fields;
  const typed = values.get(field?.key ?? "")?.[0] ?? "";
  /** @type {Map<string, string>} */
  const errors = new Map();
  if (!field || template.fields.length > 1) return { text: null, errors };
  try {
    if (template.encoding === "npy") {
      const isFlat = field.kind === "numbers";
      const rows = isFlat ? [cellsOf(typed)] : gridOf(typed);
      const checked = rows.map((row) => row.map((cell) => numberOf(cell)));
      return { text: null, errors, array: npy(checked, template.dtype, isFlat) };
    }
    if (field.kind !== "grid") return { text: typed, errors };
    if (typed === unix(field.default[0] ?? "")) return { text: field.original[0] ?? typed, errors };
    const lines = gridOf(typed).map((row) => row.map((cell) => numberOf(cell)).join(","));
    return { text: `${lines.join("\n")}\n`, errors };
  } catch (error) {
    if (!(error instanceof Unfit)) throw error;
    errors.set(field.key, error.message);
    return { text: null, errors };
  }
}
