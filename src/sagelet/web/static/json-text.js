// @ts-check
// JSON as it was written: a tree that keeps every digit, as the server's own reader does. The
// browser's parser would turn 12345678901234567890 into another number.

const DEEPEST = 64;
const SPACE = /[ \t\n\r]*/y;
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const NO_NUMBER = /-?(?:NaN|Infinity)/y;
export const NOT_A_NUMBER = "JSON has no NaN and no Infinity: send null, leave the value out, or send a large number";

/** @typedef {"object" | "array" | "string" | "number" | "boolean" | "null"} NodeKind */
/** @typedef {{key: string, value: Node}} Part */
/** @typedef {{kind: NodeKind, text: string, parts: Part[]}} Node */

export class NotJson extends Error {
  /** @param {string} problem @param {string} text @param {number} at */
  constructor(problem, text, at) {
    const before = text.slice(0, at).split("\n");
    const column = (before.at(-1) ?? "").length + 1;
    super(`line ${before.length}, column ${column}: ${problem}`);
  }
}

/**
 * Read a text, or throw NotJson.
 * @param {string} text
 * @returns {Node}
 */
export function parse(text) {
  const reader = new Reader(text);
  reader.space();
  const root = reader.value(0);
  reader.space();
  if (reader.at !== text.length) reader.fail("there is more after the value");
  return root;
}

/**
 * What an object's member holds, if there is one.
 * @param {Node} node @param {string} key
 */
export function member(node, key) {
  return node.parts.find((part) => part.key === key)?.value;
}

/** @param {Node} node */
export function hasTwins(node) {
  return new Set(node.parts.map((part) => part.key)).size !== node.parts.length;
}

class Reader {
  /** @param {string} text */
  constructor(text) {
    this.text = text;
    this.at = 0;
  }

  /** @param {number} depth @returns {Node} */
  value(depth) {
    if (depth > DEEPEST) this.fail(`it is nested more than ${DEEPEST} levels deep`);
    const begin = this.text[this.at];
    if (begin === "{") return this.container(depth, "object", "}");
    if (begin === "[") return this.container(depth, "array", "]");
    if (begin === '"') return { kind: "string", text: this.string(), parts: [] };
    for (const word of ["true", "false", "null"]) {
      if (!this.text.startsWith(word, this.at)) continue;
      this.at += word.length;
      return { kind: word === "null" ? "null" : "boolean", text: word, parts: [] };
    }
    if (this.match(NO_NUMBER, false)) this.fail(NOT_A_NUMBER);
    const number = this.match(NUMBER);
    if (!number) this.fail("a value is expected here");
    return { kind: "number", text: number, parts: [] };
  }

  /** @param {number} depth @param {"object" | "array"} kind @param {string} closing @returns {Node} */
  container(depth, kind, closing) {
    const begin = this.at;
    /** @type {Part[]} */
    const parts = [];
    this.at += 1;
    this.space();
    while (!(parts.length === 0 && this.take(closing))) {
      const key = kind === "object" ? this.key() : "";
      parts.push({ key, value: this.value(depth + 1) });
      this.space();
      if (this.take(closing)) break;
      if (!this.take(",")) this.fail(`a comma or ${closing} is expected here`);
      this.space();
    }
    return { kind, text: this.text.slice(begin, this.at), parts };
  }

  /** @returns {string} */
  key() {
    const key = JSON.parse(this.string());
    this.space();
    if (!this.take(":")) this.fail("a colon is expected here");
    this.space();
    return key;
  }

  string() {
    const found = this.match(STRING);
    if (!found) this.fail("a text in double quotes is expected here, and one that ends in its line");
    return found;
  }

  space() {
    this.match(SPACE);
  }

  /** @param {string} character */
  take(character) {
    if (this.text[this.at] !== character) return false;
    this.at += 1;
    return true;
  }

  /** @param {RegExp} pattern @param {boolean} [moves] */
  match(pattern, moves = true) {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text)?.[0] ?? "";
    if (moves) this.at += found.length;
    return found;
  }

  /** @param {string} problem @returns {never} */
  fail(problem) {
    throw new NotJson(problem, this.text, this.at);
  }
}
