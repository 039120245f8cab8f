// @ts-check
// What every page runs: its small behaviours, its live blocks, and a word when the daemon is away.

import { announce } from "./announce.js";
import { begin as beginBlocks } from "./blocks.js";
import { watch } from "./events.js";
import { begin as beginPage } from "./page.js";

const AWAY_MS = 700;
const LONG_AWAY_MS = 15_000;
const RESTARTING = "Sagelet is restarting… This page goes on by itself.";
const GONE = "Sagelet does not answer. “sagelet up” starts it; this page then goes on by itself.";
const SIGNED_OUT = "This browser is no longer signed in: “sagelet ui” signs it in.";
const REMOVED = "What this page shows has been deleted.";

/** @type {HTMLElement | null} */
let banner = null;
/** @type {number[]} */
let timers = [];

beginPage();
// Only the owner's pages are live; others have no stream of events to listen to.
if (document.querySelector("meta[name=csrf]")) {
  beginBlocks();
  watch((state) => {
    timers.forEach(clearTimeout);
    if (state === "live") hide();
    else if (state === "signed-out") show(SIGNED_OUT);
    else if (state === "removed") show(REMOVED);
    else timers = [setTimeout(() => show(RESTARTING), AWAY_MS), setTimeout(() => show(GONE), LONG_AWAY_MS)];
  });
}

/** @param {string} text */
function show(text) {
  if (!banner) {
    banner = document.createElement("p");
    banner.className = "reconnecting";
    banner.dataset.testid = "reconnecting";
    document.body.prepend(banner);
  }
  banner.textContent = text;
  announce(text);
}

function hide() {
  if (!banner) return;
  banner.remove();
  banner = null;
  announce("Sagelet is back");
}
