// @ts-check
// What makes a page live: one stream of events, and the blocks of the page that it concerns.
export {};
