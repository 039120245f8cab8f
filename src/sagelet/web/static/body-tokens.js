// @ts-check
// From what is typed into one input to the JSON that is sent for it, as the server does it. What
// does not fit is an Unfit, whose message is for whoever typed it.

import { NOT_A_NUMBER, NotJson, parse } from "./json-text.js";

const INTEGER = /^-?(?:0|[1-9][0-9]*)$/;
const DECIMAL = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$/;
const NO_NUMBER = /^[+-]?(?:nan|inf|infinity)$/i;
const SEPARATORS = /[,;\t ]+/;
const SHOWN = 40;

/**
 * @typedef {object} Field
 * @property {string} key
 * @property {string} kind
 * @property {string[]} default
 * @property {string[]} original
 * @property {"keep" | "null" | "omit"} unset
 * @property {Record<string, string>} options
 * @property {string} minimum
 * @property {string} maximum
 * @property {boolean} isSecret
 * @property {Field[]} columns
 */

export class Unfit extends Error {}

/**
 * @param {Field} field @param {string} typed @param {boolean} isAscii
 * @returns {string}
 */
export function tokenOf(field, typed, isAscii) {
  switch (field.kind) {
    case "number":
    case "slider":
      return numberOf(typed, field);
    case "integer":
      return numberOf(typed, field, true);
    case "switch":
      if (typed !== "true" && typed !== "false") throw new Unfit("choose true or false");
      return typed;
    case "select":
    case "radio":
      return optionOf(field, typed);
    case "json":
      return jsonOf(typed);
    case "tags":
      return arrayOf(field, linesOf(typed).map((line) => textOf(line, isAscii)));
    case "numbers":
      return arrayOf(field, cellsOf(typed).map((cell) => numberOf(cell)));
    case "grid":
      return arrayOf(field, gridOf(typed).map((row) => arrayOf(field, row.map((cell) => numberOf(cell)))));
    case "date":
      if (!/^\d{4}-\d\d-\d\d$/.test(typed)) throw new Unfit("a date is needed, such as 2026-03-14");
      return textOf(typed, false);
    default:
      return textOf(typed, isAscii);
  }
}

/** @param {Field} field @param {string[]} typed */
export function chosenOf(field, typed) {
  const ticked = Object.entries(field.options).filter(([value]) => typed.includes(value));
  return arrayOf(field, ticked.map(([, token]) => token));
}

/** @param {string} typed @param {boolean} isAscii */
export function textOf(typed, isAscii) {
  if (/\p{Surrogate}/u.test(typed)) throw new Unfit("it holds a broken character, which cannot be sent as UTF-8");
  const text = JSON.stringify(typed);
  if (!isAscii) return text;
  return text.replace(/[\u007f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** @param {string} typed @param {Field} [field] @param {boolean} [isWhole] */
export function numberOf(typed, field, isWhole = false) {
  const trimmed = typed.trim();
  if (!trimmed) throw new Unfit("a number is needed here");
  if (NO_NUMBER.test(trimmed)) throw new Unfit(NOT_A_NUMBER);
  const written = normal(trimmed);
  if (isWhole && !INTEGER.test(written)) throw new Unfit(`${shown(typed)} is not a whole number`);
  if (!DECIMAL.test(written)) throw new Unfit(`${shown(typed)} is not a number`);
  const value = Number(written);
  if (!Number.isFinite(value)) throw new Unfit(`${shown(typed)} is too large: ${NOT_A_NUMBER}`);
  if (field?.minimum && value < Number(field.minimum)) throw new Unfit(`${shown(written)} is less than ${field.minimum}`);
  if (field?.maximum && value > Number(field.maximum)) throw new Unfit(`${shown(written)} is more than ${field.maximum}`);
  return written;
}

/** @param {string} typed */
export function cellsOf(typed) {
  return typed.replaceAll("\n", ",").trim().split(SEPARATORS).filter(Boolean);
}

/** @param {string} typed @returns {string[][]} */
export function gridOf(typed) {
  const rows = linesOf(typed).map(cellsOf);
  const [first] = rows;
  if (!first) throw new Unfit("there are no numbers");
  rows.forEach((row, at) => {
    if (row.length !== first.length) throw new Unfit(`row ${at + 1} has ${row.length} cells, row 1 has ${first.length}`);
  });
  return rows;
}

/** @param {string} typed */
function linesOf(typed) {
  return typed.split("\n").filter((line) => line.trim());
}

/** People write +5 and .5 and 5., too. @param {string} written */
function normal(written) {
  const sign = written.startsWith("-") ? "-" : "";
  let digits = written.replace(/^[+-]/, "");
  if (digits.startsWith(".")) digits = `0${digits}`;
  return sign + (/^[0-9]+\.$/.test(digits) ? digits.slice(0, -1) : digits);
}

/** @param {Field} field @param {string} typed */
function optionOf(field, typed) {
  const token = Object.hasOwn(field.options, typed) ? field.options[typed] : undefined;
  if (token === undefined) throw new Unfit(typed ? `${shown(typed)} is not among the choices` : "choose one");
  return token;
}

/** @param {string} typed */
function jsonOf(typed) {
  try {
    parse(typed);
  } catch (error) {
    if (error instanceof NotJson) throw new Unfit(`this is not JSON: ${error.message}`);
    throw error;
  }
  return typed.trim();
}

/** @param {Field} field @param {string[]} tokens */
function arrayOf(field, tokens) {
  return `[${tokens.join(field.original[0]?.includes(", ") ? ", " : ",")}]`;
}

/** @param {string} typed */
function shown(typed) {
  return `'${typed.length <= SHOWN ? typed : `${typed.slice(0, SHOWN)}…`}'`;
}
