// @ts-check
// The page's one stream of events, shared by whatever listens. Import it as "./events.js", always
// by this name: under another the browser would load it twice, and there would be two streams.

/**
 * @typedef {{kind: "change", topic: string}} Change
 * @typedef {{kind: "note", note: Record<string, any>}} Note
 * @typedef {{kind: "log", group: string, stream: string}} Log
 * @typedef {{kind: "back"}} Back  Something may have been missed: look at everything anew.
 * @typedef {Change | Note | Log | Back} Happening
 * @typedef {{topics: string[], heard: (what: Happening) => void}} Listener
 * @typedef {"live" | "away" | "signed-out" | "removed"} State
 */

const ADDRESS = "/api/v1/events";
const HIDDEN_MS = 10_000;
const PAUSES_MS = [500, 1000, 2000, 5000];

/** @type {Set<Listener>} */
const listeners = new Set();
/** @type {Set<(state: State) => void>} */
const watchers = new Set();
/** @type {EventSource | null} */
let source = null;
let asked = "";
let last = document.querySelector("meta[name=newest-event]")?.getAttribute("content") ?? "";
let instance = "";
/** @type {State} */
let state = "live";
let failures = 0;
let opening = 0;
let hiding = 0;

/**
 * Hear what happens to topics ("endpoint:NAME", "jobs", "log:GROUP"…); call the result to stop.
 * @param {string[]} topics
 * @param {(what: Happening) => void} heard
 * @returns {() => void}
 */
export function listen(topics, heard) {
  const listener = { topics, heard };
  listeners.add(listener);
  openSoon();
  return () => {
    listeners.delete(listener);
    openSoon();
  };
}

/**
 * Hear whether the daemon is there; the stream itself comes back without help.
 * @param {(state: State) => void} watcher
 */
export function watch(watcher) {
  watchers.add(watcher);
}

/** Whether the daemon is there, as far as the stream knows. */
export function isLive() {
  return state === "live";
}

/** Tell that an answer said so: whoever looks at the page has to sign in first. */
export function signedOut() {
  close();
  become("signed-out");
}

/** Tell that what the page shows is no longer there. */
export function removed() {
  close();
  become("removed");
}

function openSoon(pause_ms = 0) {
  clearTimeout(opening);
  opening = setTimeout(open, pause_ms);
}

function open() {
  const topics = [...new Set([...listeners].flatMap((listener) => listener.topics))].sort().join();
  if (document.hidden && !source) return;
  if (source && topics === asked && source.readyState !== EventSource.CLOSED) return;
  close();
  asked = topics;
  if (!topics) return;
  const query = new URLSearchParams({ topics, ...(last ? { since: last } : {}) });
  source = new EventSource(`${ADDRESS}?${query}`);
  source.addEventListener("hello", (event) => greeted(event, JSON.parse(event.data)));
  source.addEventListener("reset", (event) => {
    hear(event, { kind: "back" });
  });
  source.addEventListener("change", (event) => {
    hear(event, { kind: "change", topic: JSON.parse(event.data).topic });
  });
  source.addEventListener("note", (event) => {
    hear(event, { kind: "note", note: JSON.parse(event.data) });
  });
  source.addEventListener("log", (event) => {
    hear(event, { kind: "log", ...JSON.parse(event.data) });
  });
  source.addEventListener("error", failed);
}

function close() {
  source?.close();
  source = null;
}

/** @param {MessageEvent} event @param {{instance: string}} hello */
function greeted(event, hello) {
  const isAnother = instance !== "" && instance !== hello.instance;
  const wasAway = state !== "live";
  instance = hello.instance;
  failures = 0;
  become("live");
  if (isAnother || wasAway) hear(event, { kind: "back" });
  else last = event.lastEventId || last;
}

/** @param {MessageEvent} event @param {Happening} what */
function hear(event, what) {
  last = event.lastEventId || last;
  for (const { topics, heard } of listeners) if (concerns(what, topics)) heard(what);
}

/** @param {Happening} what @param {string[]} topics */
function concerns(what, topics) {
  switch (what.kind) {
    case "back":
      return true;
    case "change":
      return topics.includes(what.topic);
    case "note":
      return topics.includes("endpoints") || topics.includes(`endpoint:${what.note.endpoint}`);
    case "log":
      return topics.some((topic) => {
        const [kind, group, prefix = ""] = topic.split(":");
        return kind === "log" && group === what.group && (what.stream || prefix).startsWith(prefix);
      });
  }
}

async function failed() {
  const current = source;
  if (current?.readyState === EventSource.CLOSED) {
    // It was refused, and the browser does not try again: find out why, then do.
    close();
    const pause_ms = PAUSES_MS[Math.min(failures, PAUSES_MS.length - 1)] ?? 0;
    failures += 1;
    if (await isSignedOut()) {
      signedOut();
      return;
    }
    openSoon(pause_ms);
  }
  become("away");
}

async function isSignedOut() {
  try {
    const answer = await fetch(`${ADDRESS}?after=0`, { cache: "no-store" });
    return answer.status === 401;
  } catch {
    return false; // nobody is there to be signed in to
  }
}

/** @param {State} next */
function become(next) {
  if (next === state) return;
  state = next;
  for (const watcher of watchers) watcher(next);
}

// A hidden page asks nothing: browsers open six connections to a daemon, in all tabs together.
document.addEventListener("visibilitychange", () => {
  clearTimeout(hiding);
  if (document.hidden) hiding = setTimeout(close, HIDDEN_MS);
  else openSoon();
});
addEventListener("pagehide", close);
addEventListener("pageshow", (event) => {
  if (event.persisted) openSoon();
});
