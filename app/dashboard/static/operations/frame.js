// What the pages of operations share: their heading and links, whose projects they are about, and how they stay true: what
// is shown is read again when the stream tells of a change, at most once a second, and says how old it is.

import { ApiProblem } from "../api.js";
import { fill, h, setText, throttle, time } from "../dom.js";
import { icon } from "../icons.js";
import { acquireFeed } from "../feed.js";
import { operated } from "../projects.js";

const PAGES = [
  ["/operations", "Overview"],
  ["/operations/failures", "Failures"],
  ["/operations/portals", "Portals"],
  ["/operations/questions", "Questions"],
  ["/operations/audit", "Audit"],
];
const AT_MOST_MS = 1000;
const AGAIN_MS = 5000; // after a failure
const PHASES = {
  live: "live", connecting: "connecting to the live stream", reconnecting: "the connection is lost, reconnecting",
  paused: "paused while nobody looks", denied: "not live",
};

/** Whose: the chosen project, or all that one operates, as `?scope=all` says or where one does not operate the chosen one. */
export function scopeOf(page) {
  const mine = operated(page.me);
  const here = mine.some((project) => project.code === page.project.code);
  const all = !here || page.query.get("scope") === "all";
  return { barred: mine.length === 0, all, project: all ? null : page.project.code, choice: here && mine.length > 1, query: all && here ? "?scope=all" : "" };
}

/** Mount by `build(root, page)`, and build anew when the address asks for other projects; `build` returns what undoes it. */
export function scoped(root, page, build) {
  let leave = () => {};
  let built = "";
  let listeners = [];
  const own = Object.create(page, { onQuery: { value: (listen) => listeners.push(listen) } });
  const show = (query) => {
    const { all } = scopeOf(page);
    if (built === String(all)) return listeners.forEach((listen) => listen(query));
    built = String(all);
    leave();
    listeners = [];
    root.replaceChildren();
    leave = build(root, own);
    return undefined;
  };
  page.onQuery(show);
  show(page.query);
  return () => leave();
}

/** Heading, the links between the pages, and the place for what a page shows. Returns {body, scope, asOf}. */
export function frame(root, page, { heading, lead }) {
  const scope = scopeOf(page);
  const asOf = h("p", { class: "as-of faint" });
  const body = h("div", { class: "ops-body", "aria-busy": "true" }, h("p", { class: "faint", role: "status" }, "Loading…"));
  const path = location.pathname;
  const scopes = [["", page.project.name], ["all", "All my projects"]];
  root.append(
    h("div", { class: "title ops-title" }, heading, h("p", {}, lead), asOf),
    h("div", { class: "ops-bar" },
      h("nav", { class: "ops-nav", "aria-label": "Operations" }, PAGES.map(([href, word]) =>
        h("a", { href: href + scope.query, "aria-current": href === path ? "page" : null }, word))),
      scope.choice ? h("div", { class: "chips", role: "group", "aria-label": "Whose" }, scopes.map(([value, word]) =>
        h("a", { class: "button chip", href: value ? `${path}?scope=all` : path, "aria-current": (value === "all") === scope.all ? "true" : null }, word))) : null),
    body);
  return { body, scope, asOf };
}

/**
 * Keeps a page true: `load(signal)` asks the API, `draw(answer)` shows it. Read again when a job changes (and what else `hears`
 * names of the feed's events), every `pollMs` where something has no event, and after a failure. `minMs`: no more often than
 * that. What is not for `everybody` is not asked for by who operates nothing.
 */
export class Watch {
  #abort = null;
  #timers = {};
  #shown = false;
  #busy = false;
  #missed = false;
  #final = false;
  #soon;

  constructor({ api, scope, body, asOf, load, draw, minMs = AT_MOST_MS, pollMs = 0, everybody = false, hears = [] }) {
    Object.assign(this, { body, asOf, load, draw, events: ["job", "resync", ...hears] });
    this.feed = acquireFeed(api, scope.project ? { project: scope.project } : {});
    // What is being read is let come: changes that come quicker than answers would keep the page from ever being drawn.
    this.#soon = throttle(() => (this.#busy ? (this.#missed = true) : this.read()), minMs);
    this.stale = () => this.#final || this.#soon();
    this.phase = () => this.#age();
    for (const name of this.events) this.feed.addEventListener(name, this.stale);
    this.feed.addEventListener("status", this.phase);
    if (pollMs) this.#timers.poll = setInterval(() => document.hidden || this.stale(), pollMs);
    if (scope.barred && !everybody) this.#failed(new ApiProblem(403));
    else this.read();
  }

  close() {
    this.#abort?.abort();
    this.#soon.cancel();
    clearInterval(this.#timers.poll);
    clearTimeout(this.#timers.again);
    for (const name of this.events) this.feed.removeEventListener(name, this.stale);
    this.feed.removeEventListener("status", this.phase);
    this.feed.release();
  }

  /** Read now. What is shown stays until there is something newer. */
  async read() {
    this.#abort?.abort();
    clearTimeout(this.#timers.again);
    const abort = (this.#abort = new AbortController());
    this.#busy = true;
    this.#missed = false;
    try {
      const answer = await this.load(abort.signal);
      if (abort.signal.aborted) return;
      this.at = new Date().toISOString();
      if (!this.#shown) fill(this.body);
      this.#shown = true;
      this.#final = false;
      this.draw(answer);
      this.body.removeAttribute("aria-busy");
      this.#age();
    } catch (problem) {
      if (abort.signal.aborted || problem.name === "AbortError") return;
      if (!(problem.status >= 0)) throw problem;
      this.#failed(problem);
    } finally {
      if (this.#abort === abort) {
        this.#busy = false;
        if (this.#missed && !abort.signal.aborted) this.stale();
      }
    }
  }

  #failed(problem) {
    this.#final = problem.status === 403 || problem.status === 404;
    if (!this.#final) this.#timers.again = setTimeout(() => this.read(), AGAIN_MS);
    if (this.#shown) {
      this.#age(problem.passing ? "could not be read again, trying" : problem.message);
      return;
    }
    this.body.removeAttribute("aria-busy");
    fill(this.body, h("div", { class: "card nothing" }, icon("alert"),
      h("h2", {}, problem.status === 403 ? "This is for operators" : "This could not be loaded"),
      h("p", { role: "alert" }, problem.status === 403 ? "Your role in this project does not let you look at its operations." : problem.message),
      this.#final ? null : h("button", { type: "button", onClick: () => this.read() }, "Try again")));
  }

  #age(trouble = "") {
    if (!this.asOf || !this.at) return;
    fill(this.asOf, "As of ", time(this.at), ` · ${trouble || PHASES[this.feed.phase] || this.feed.phase}`);
    this.asOf.toggleAttribute("data-stale", Boolean(trouble) || this.feed.phase !== "live");
  }
}

/** A section with a heading; `tail` stands beside it. */
export function section(title, tail, ...children) {
  const count = h("span", { class: "count" }, tail);
  const body = h("div", {}, children);
  return { element: h("section", { class: "section" }, h("h2", {}, title, " ", count), body), body, count, say: (text) => setText(count, text) };
}

/** What an empty list says. */
export const nothing = (name, title, text) => h("div", { class: "card nothing", "data-tone": "good" }, icon(name), h("h2", {}, title), h("p", {}, text));
