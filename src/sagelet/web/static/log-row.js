// @ts-check
// One line of a log as an element; what it says is text, whatever it looks like.

import { clockOf } from "./log-lines.js";

/** @typedef {import("./log-lines.js").Line} Line */
/** @typedef {{hit: string, target: [number, number] | null}} Look  what is marked: a text, a time */

/** @param {Line} line @param {Look} look */
export function rowOf(line, look) {
  const row = document.createElement("div");
  row.className = "log-line";
  row.dataset.ms = String(line.ms);
  if (line.level) row.dataset.level = line.level;
  if (look.target && line.ms >= look.target[0] && line.ms <= look.target[1]) row.dataset.target = "";
  const time = document.createElement("time");
  time.className = "log-time";
  time.dataset.absolute = "";
  time.title = new Date(line.ms).toISOString();
  time.textContent = clockOf(line);
  const source = spanOf("log-source", line.source);
  const text = spanOf("log-text");
  for (const [piece, classes] of line.spans ?? [[line.text, ""]]) {
    const parts = marked(piece, look.hit);
    if (classes) text.append(spanOf(classes, ...parts));
    else text.append(...parts);
  }
  row.append(time, source, text);
  if (line.cut) {
    const count = line.cut.toLocaleString("en");
    row.append(spanOf("log-cut", `… ${count} more characters: download the log to see them`));
  }
  return row;
}

/** @param {string} classes @param {(string | Element)[]} content */
function spanOf(classes, ...content) {
  const span = document.createElement("span");
  span.className = classes;
  span.append(...content);
  return span;
}

/** A text with what is searched for marked in it. @param {string} text @param {string} wanted */
function marked(text, wanted) {
  const hit = wanted.toLowerCase();
  const lower = text.toLowerCase();
  // What changes its length in lower case has no places to be marked.
  if (!hit || lower.length !== text.length) return [text];
  /** @type {(string | Element)[]} */
  const parts = [];
  let at = 0;
  for (let found = lower.indexOf(hit); found >= 0; found = lower.indexOf(hit, at)) {
    const mark = document.createElement("mark");
    mark.textContent = text.slice(found, found + hit.length);
    parts.push(text.slice(at, found), mark);
    at = found + hit.length;
  }
  parts.push(text.slice(at));
  return parts;
}
