// What an attempt's worker logged, read when somebody asks for it; and a step's share of its attempt as a bar.

import { visible } from "../../core.js";
import { fill, h } from "../../dom.js";

const NS = "http://www.w3.org/2000/svg";

const KEPT_MS = 2000; // a worker keeps the log a moment after its attempt has ended
const TRIES = 5;

/**
 * A disclosure that reads the log of an attempt when it is opened, and again when the attempt has `ended()`. The API gives it to
 * operators only, and says so by null.
 */
export function logOf(api, { job_id: job, attempt }) {
  const body = h("div", { class: "log-body" });
  const element = h("details", { class: "log" }, h("summary", {}, "Log"), body);
  let timer = 0;
  const read = async (tries) => {
    clearTimeout(timer);
    if (!element.open || !element.isConnected) return;
    try {
      const { items } = await api.get(`/api/jobs/${encodeURIComponent(job)}/attempts`);
      const found = items.find((item) => item.attempt === attempt);
      fill(body, linesOf(found));
      if (found?.ended_at && found.log?.length === 0 && tries > 1) timer = setTimeout(read, KEPT_MS, tries - 1);
    } catch (problem) {
      fill(body, h("p", { class: "answer" }, `The log could not be read: ${visible(problem.message, 200)}`));
    }
  };
  element.addEventListener("toggle", () => {
    if (element.open) fill(body, h("p", { class: "faint" }, "Reading…"));
    read(TRIES);
  });
  return { element, ended: () => read(TRIES) };
}

function linesOf(attempt) {
  if (!attempt?.log) return h("p", { class: "faint" }, "The log is for operators of the project.");
  const trace = attempt.traceback ? ["", ...attempt.traceback.split("\n")] : [];
  const lines = [...attempt.log, ...trace].filter((line, at, all) => line !== "" || at < all.length - 1);
  if (lines.length === 0) return h("p", { class: "faint" }, attempt.ended_at ? "Nothing was logged." : "The attempt still runs; its log is kept when it ends.");
  return h("pre", { tabindex: "0", role: "group", "aria-label": `Log of attempt ${attempt.attempt}` }, visible(lines.join("\n"), 70_000));
}

/** When a step was at work within its attempt; its length stands beside it in words, so this is for the eye alone. */
export function drawBar(svg, { started_at: began, ended_at: over, state }, { from, to }) {
  const whole = Math.max(to - from, 1);
  const share = (time) => Math.min(100, Math.max(0, (100 * (time - from)) / whole));
  const [left, right] = [share(Date.parse(began)), share(over ? Date.parse(over) : to)];
  const bar = svg.firstElementChild;
  for (const [name, value] of [["x", left], ["width", Math.max(right - left, 0.75)]]) bar.setAttribute(name, value.toFixed(2));
  svg.dataset.state = state;
}

export function emptyBar() {
  const svg = document.createElementNS(NS, "svg");
  for (const [name, value] of [["viewBox", "0 0 100 4"], ["preserveAspectRatio", "none"], ["class", "bar-of-step"], ["aria-hidden", "true"]]) svg.setAttribute(name, value);
  const bar = document.createElementNS(NS, "rect");
  for (const [name, value] of [["y", 0], ["height", 4], ["rx", 1]]) bar.setAttribute(name, value);
  svg.append(bar);
  return svg;
}
