// @ts-check
// The way back: from a body to what the inputs would hold, or nothing where it has another shape.
// It follows `values_of` in sagelet/web/forms/reading.py.

import { fieldsOf, fill } from "./body-template.js";
import { hasTwins, member, parse } from "./json-text.js";

/** @typedef {import("./body-tokens.js").Field} Field */
/** @typedef {import("./body-template.js").Template} Template */
/** @typedef {import("./body-template.js").Shape} Shape */
/** @typedef {import("./body-template.js").Values} Values */
/** @typedef {import("./json-text.js").Node} Node */

const UNSHOWABLE = /[\u0000-\u0008\u000b-\u001f\u007f\ud800-\udfff]/u;

class Unlike extends Error {}

/**
 * Return what the inputs hold for a body of the form's shape, else null. Throws NotJson.
 * @param {Template} template @param {string} text
 * @returns {Values | null}
 */
export function valuesOf(template, text) {
  const root = parse(text);
  const reader = new BodyReader(template);
  try {
    reader.read(template.shape, root);
  } catch (error) {
    if (error instanceof Unlike) return null;
    throw error;
  }
  const made = fill(template, reader.values);
  const isSame = made.errors.size === 0 && plain(parse(made.text)) === plain(root);
  return isSame ? reader.values : null;
}

class BodyReader {
  /** @param {Template} template */
  constructor(template) {
    this.fields = fieldsOf(template);
    /** @type {Values} */
    this.values = new Map();
  }

  /** @param {Shape} shape @param {Node} node */
  read(shape, node) {
    switch (shape.is) {
      case "constant":
        if (plain(parse(shape.text)) !== plain(node)) throw new Unlike();
        return;
      case "hole":
        this.hole(this.field(shape.field), node);
        return;
      case "rows":
        this.rows(shape, node);
        return;
      case "array":
        if (node.kind !== "array" || node.parts.length !== shape.parts.length) throw new Unlike();
        shape.parts.forEach((part, at) => this.read(part.value, /** @type {Node} */ (node.parts[at]?.value)));
        return;
      default:
        this.object(shape, node);
    }
  }

  /** @param {Extract<Shape, {is: "object" | "array"}>} shape @param {Node} node */
  object(shape, node) {
    const known = new Set(shape.parts.map((part) => part.key));
    if (node.kind !== "object" || hasTwins(node) || node.parts.some((part) => !known.has(part.key))) throw new Unlike();
    for (const part of shape.parts) {
      const found = member(node, part.key);
      if (found) this.read(part.value, found);
      else if (part.field.includes("[].")) this.add(part.field, "");
      else if (part.field) this.values.set(`${part.field}!`, ["on"]);
      else throw new Unlike();
    }
  }

  /** @param {Extract<Shape, {is: "rows"}>} shape @param {Node} node */
  rows(shape, node) {
    const pattern = shape.parts.at(-1);
    if (node.kind !== "array" || !pattern) throw new Unlike();
    for (const column of this.field(shape.field).columns) this.values.set(column.key, []);
    for (const part of node.parts) this.read(pattern.value, part.value);
  }

  /** @param {Field} field @param {Node} node */
  hole(field, node) {
    const isCell = field.key.includes("[].");
    if (node.kind === "null" && field.unset === "null") {
      if (isCell) this.add(field.key, "");
      else this.values.set(`${field.key}!`, ["on"]);
      return;
    }
    const shown = shownIn(field, node);
    if (shown === null) throw new Unlike();
    if (isCell) this.add(field.key, shown[0] ?? "");
    else this.values.set(field.key, shown);
  }

  /** @param {string} key @param {string} text */
  add(key, text) {
    this.values.set(key, [...(this.values.get(key) ?? []), text]);
  }

  /** @param {string} key */
  field(key) {
    const field = this.fields.get(key);
    if (!field) throw new Unlike();
    return field;
  }
}

/** @param {Field} field @param {Node} node @returns {string[] | null} */
function shownIn(field, node) {
  switch (field.kind) {
    case "select":
    case "radio":
      return optionFor(field, node);
    case "number":
    case "slider":
      return node.kind === "number" ? [node.text] : null;
    case "integer":
      return node.kind === "number" && /^-?[0-9]+$/.test(node.text) ? [node.text] : null;
    case "switch":
      return node.kind === "boolean" ? [node.text] : null;
    case "json":
      return [node.text];
    case "numbers":
      return node.kind === "array" && node.parts.every((part) => part.value.kind === "number") ? [lineOf(node)] : null;
    case "grid":
      return isGrid(node) ? [node.parts.map((part) => lineOf(part.value)).join("\n")] : null;
    case "tags":
      return tagsIn(node);
    case "checkboxes": {
      const ticked = node.parts.map((part) => optionFor(field, part.value)?.[0]);
      return node.kind === "array" && ticked.every((value) => value !== undefined) ? /** @type {string[]} */ (ticked) : null;
    }
    default:
      return textIn(field, node);
  }
}

/** @param {Field} field @param {Node} node */
function optionFor(field, node) {
  const found = Object.entries(field.options).find(([, token]) => plain(parse(token)) === plain(node));
  return found ? [found[0]] : null;
}

/** @param {Field} field @param {Node} node */
function textIn(field, node) {
  if (node.kind !== "string" || ["image", "audio", "file"].includes(field.kind)) return null;
  const text = String(JSON.parse(node.text));
  return UNSHOWABLE.test(text) || (text.includes("\n") && field.kind !== "textarea") ? null : [text];
}

/** @param {Node} node */
function tagsIn(node) {
  if (node.kind !== "array" || node.parts.some((part) => part.value.kind !== "string")) return null;
  const texts = node.parts.map((part) => String(JSON.parse(part.value.text)));
  return texts.some((text) => !text.trim() || text.includes("\n") || UNSHOWABLE.test(text)) ? null : [texts.join("\n")];
}

/** @param {Node} node */
function isGrid(node) {
  const width = node.parts[0]?.value.parts.length;
  return Boolean(width) && node.parts.every(({ value }) => value.kind === "array" && value.parts.length === width && value.parts.every((part) => part.value.kind === "number"));
}

/** @param {Node} node */
function lineOf(node) {
  return node.parts.map((part) => part.value.text).join(", ");
}

/** A value without its white space; two texts of one value may still differ in their escapes. @param {Node} node @returns {string} */
function plain(node) {
  if (node.kind === "string") return JSON.stringify(JSON.parse(node.text));
  if (node.kind === "array") return `[${node.parts.map((part) => plain(part.value)).join(",")}]`;
  if (node.kind !== "object") return node.text;
  const members = node.parts.map((part) => `${JSON.stringify(part.key)}:${plain(part.value)}`);
  return `{${members.sort().join(",")}}`;
}
