// Building DOM from data. Text goes in as text nodes only; nothing here, or anywhere on these pages, parses HTML.

import { ago, exact, moment, spelled, visible } from "./core.js";
import { icon } from "./icons.js";

/** An element. `on…` props are listeners, `class` and the rest are attributes; null, false and undefined are left out. */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") element.addEventListener(name.slice(2).toLowerCase(), value);
    else if (name === "job" || name === "value") element[name] = value;
    else element.setAttribute(name, value === true ? "" : worded(name, value));
  }
  element.append(...flat(children));
  return element;
}

function flat(children) {
  return children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false && child !== "")
    .map((child) => (child instanceof Node ? child : spelled(child)));
}

// Attributes that are read by people: a character that cannot be seen is spelled out in them as in text, wherever they come from.
const READ = new Set(["title", "aria-label", "aria-description", "aria-valuetext", "alt", "placeholder"]);
const worded = (name, value) => (READ.has(name) ? spelled(value) : String(value));

export const fill = (parent, ...children) => parent.replaceChildren(...flat(children));

/** Text that came from a phone, a portal or a person: isolated from the text around it, invisible characters spelled out. */
export const foreign = (value, { limit, ...props } = {}) => h("bdi", props, visible(value, limit));

/** Set text only when it changes, so that screen readers and selections are left alone. */
export function setText(node, text) {
  const words = spelled(text);
  if (node.textContent !== words) node.textContent = words;
}

export function setForeign(node, value, limit) {
  setText(node, visible(value, limit));
}

export function setAttr(node, name, value) {
  if (value === null || value === undefined || value === false) node.removeAttribute(name);
  else if (node.getAttribute(name) !== worded(name, value)) node.setAttribute(name, worded(name, value));
}

/** A pill of icon and word. */
export const pill = ({ label, tone, icon: name }, ...more) =>
  h("span", { class: "pill", "data-tone": tone }, icon(name), h("span", {}, label), more);

/** A relative time that stays right, the exact one on hover. */
export function time(iso) {
  const node = h("time", { datetime: iso, title: exact(iso), "data-ago": true }, ago(iso));
  return node;
}

export function setTime(node, iso) {
  setAttr(node, "datetime", iso ?? "");
  setAttr(node, "title", exact(iso));
  setAttr(node, "data-ago", iso ? "" : null);
  setText(node, ago(iso));
}

/** A time of day, with its day once that is over, the exact time on hover. */
export const clockTime = (iso) => h("time", { datetime: iso ?? "", title: exact(iso), "data-moment": true }, moment(iso));

setInterval(() => {
  for (const node of document.querySelectorAll("time[data-ago]")) setText(node, ago(node.getAttribute("datetime")));
  for (const node of document.querySelectorAll("time[data-moment]")) setText(node, moment(node.getAttribute("datetime")));
}, 10_000);

const FRAME_MS = 8; // of ours in a frame: the rest is the browser's, to lay out and to draw
const waiting = new Set();
let due = false;

/** Run once in the next frame, however often it is asked for: a burst of events becomes one update. */
export function onFrame(task) {
  waiting.add(task);
  if (!due) requestAnimationFrame(runFrame);
  due = true;
}

/** Run when everything asked of `onFrame` so far is done and drawn. */
export function afterPaint(task) {
  onFrame(() => {
    // A message is handled after the frame has been drawn; a task within it is not.
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      task();
    };
    port2.postMessage(null);
  });
}

function runFrame() {
  const until = performance.now() + FRAME_MS;
  try {
    // What a task asks for in turn comes behind what waits already, into this frame if it fits.
    for (const task of waiting) {
      waiting.delete(task);
      task();
      if (performance.now() > until) break;
    }
  } finally {
    // What did not fit goes first in the next frame.
    due = waiting.size > 0;
    if (due) requestAnimationFrame(runFrame);
  }
}

/** Work through what `pending` holds, item by item, as many a frame as fit; `call()` goes on with it. */
export function perFrame(pending, update) {
  const run = () => {
    const until = performance.now() + FRAME_MS / 2;
    for (const item of pending) {
      pending.delete(item);
      update(item);
      if (performance.now() > until) break;
    }
    if (pending.size > 0) onFrame(run);
  };
  return () => onFrame(run);
}

/** Run at most once in `ms`: at once when it was quiet, else when the time is over. Has `cancel()`. */
export function throttle(task, ms) {
  let timer = 0;
  let last = -Infinity;
  const run = () => {
    timer = 0;
    last = performance.now();
    task();
  };
  const call = () => {
    if (timer === 0) timer = setTimeout(run, Math.max(0, last + ms - performance.now()));
  };
  call.cancel = () => {
    clearTimeout(timer);
    timer = 0;
  };
  return call;
}

const rowsOf = new WeakMap();

/** The child that `keyed` made for a key; undefined without one. */
export const rowOf = (parent, key) => rowsOf.get(parent)?.get(key);

/** Make the children of `parent` match `items`, each kept by its key: a row that stays is never rebuilt or moved. */
export function keyed(parent, items, { key, create, update }) {
  const known = rowsOf.get(parent) ?? new Map();
  const next = new Map();
  let cursor = parent.firstElementChild;
  for (const item of items) {
    const id = key(item);
    const row = known.get(id) ?? create(item);
    next.set(id, row);
    update?.(row, item);
    if (row === cursor) cursor = cursor.nextElementSibling;
    else parent.insertBefore(row, cursor);
  }
  for (const [id, row] of known) if (!next.has(id)) row.remove();
  rowsOf.set(parent, next);
  return next;
}
