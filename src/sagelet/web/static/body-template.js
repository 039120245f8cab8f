// @ts-check
// The body that a form's values make: the template that the server has read from the example, with
// the values put in. It follows `fill` in sagelet/web/forms/filling.py.

import { chosenOf, tokenOf, Unfit } from "./body-tokens.js";

/** @typedef {import("./body-tokens.js").Field} Field */
/** @typedef {{head: string, tail: string, key: string, field: string, value: Shape}} Part */
/**
 * @typedef {{is: "constant", text: string} | {is: "hole", field: string}
 *   | {is: "object" | "array", parts: Part[], end: string}
 *   | {is: "rows", field: string, parts: Part[], end: string, head: string}} Shape
 */
/**
 * @typedef {object} Template
 * @property {"json" | "csv" | "npy" | "text" | "file"} encoding
 * @property {string} before
 * @property {string} after
 * @property {boolean} isAscii
 * @property {string} dtype
 * @property {Shape} shape
 * @property {Field[]} fields
 */
/** What the inputs hold, by name. @typedef {Map<string, string[]>} Values */

/** @param {Template} template */
export function fieldsOf(template) {
  const all = template.fields.flatMap((field) => [field, ...field.columns]);
  return new Map(all.map((field) => [field.key, field]));
}

/**
 * Fill a JSON template; mistakes come back by the key of their field.
 * @param {Template} template @param {Values} values
 */
export function fill(template, values) {
  const filling = new Filling(template, values);
  const text = template.before + (filling.json(template.shape, -1) ?? "") + template.after;
  return { text, errors: filling.errors };
}

class Filling {
  /** @param {Template} template @param {Values} values */
  constructor(template, values) {
    this.template = template;
    this.values = values;
    this.fields = fieldsOf(template);
    /** @type {Map<string, string>} */
    this.errors = new Map();
  }

  /** @param {Shape} shape @param {number} row @returns {string | null} */
  json(shape, row) {
    switch (shape.is) {
      case "constant":
        return shape.text;
      case "hole":
        return this.hole(shape.field, row);
      case "rows":
        return this.rows(shape);
      default: {
        const written = shape.parts.map((part) => this.part(part, part.head, row)).filter((text) => text !== null);
        const [open, close] = shape.is === "array" ? "[]" : "{}";
        return `${open}${written.join(",")}${shape.end}${close}`;
      }
    }
  }

  /** @param {Part} part @param {string} head @param {number} row */
  part(part, head, row) {
    const text = this.json(part.value, row);
    return text === null ? null : head + text + part.tail;
  }

  /** @param {Extract<Shape, {is: "rows"}>} shape */
  rows(shape) {
    const columns = this.fields.get(shape.field)?.columns ?? [];
    const count = Math.max(0, ...columns.map((column) => this.values.get(column.key)?.length ?? 0));
    const written = [];
    for (let at = 0; at < count; at += 1) {
      const part = shape.parts[Math.min(at, shape.parts.length - 1)];
      if (part) written.push(this.part(part, at < shape.parts.length ? part.head : shape.head, at));
    }
    return `[${written.join(",")}${shape.end}]`;
  }

  /** @param {string} key @param {number} row */
  hole(key, row) {
    const field = this.fields.get(key);
    if (!field) return "null";
    try {
      return row >= 0 && this.values.has(key) && key.includes("[].") ? this.cell(field, row) : this.token(field);
    } catch (error) {
      if (!(error instanceof Unfit)) throw error;
      if (!this.errors.has(key)) this.errors.set(key, row >= 0 ? `row ${row + 1}: ${error.message}` : error.message);
      return "null";
    }
  }

  /** @param {Field} column @param {number} row */
  cell(column, row) {
    const value = this.values.get(column.key)?.[row] ?? "";
    const original = column.original[row];
    if (row < column.default.length && value === column.default[row] && original) return original;
    if (!value && column.unset !== "keep") return column.unset === "omit" ? null : "null";
    return tokenOf(column, value, this.template.isAscii);
  }

  /** @param {Field} field */
  token(field) {
    let typed = this.values.get(field.key) ?? [];
    if (field.kind !== "checkboxes" && !typed.length) typed = [field.kind === "switch" ? "false" : ""];
    if (this.isUnset(field, typed)) return field.unset === "omit" ? null : "null";
    const isSame = typed.length === field.default.length && typed.every((text, at) => text === unix(field.default[at] ?? ""));
    if (field.original.length && isSame) return field.original[0] ?? "";
    if (field.kind === "checkboxes") return chosenOf(field, typed);
    return tokenOf(field, typed.at(-1) ?? "", this.template.isAscii);
  }

  /** @param {Field} field @param {string[]} typed */
  isUnset(field, typed) {
    if (field.unset === "keep") return false;
    if (this.values.has(`${field.key}!`)) return true;
    const mayBeEmpty = ["text", "textarea", "checkboxes", "tags"].includes(field.kind);
    return !mayBeEmpty && !typed.some((text) => text.trim());
  }
}

/** @param {string} text */
export function unix(text) {
  return text.replace(/\r\n?/g, "\n");
}
