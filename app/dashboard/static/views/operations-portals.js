// Portals: how much each account bears, who is in and who waits, what keeps them out, and the acts of an operator on it.

import { count, plural } from "../core.js";
import { fill, foreign, h, keyed, pill, time } from "../dom.js";
import { icon } from "../icons.js";
import { ask } from "../operations/ask.js";
import { frame, nothing, scoped, Watch } from "../operations/frame.js";
import { redraw } from "../operations/redraw.js";

export const title = "Portals";

const CLOCK_MS = 10_000; // a breaker lets a probe through by the clock
const PAUSED = {
  paused: "Paused by a person",
  login: "Paused: the portal refused our sign-in",
  recipe_paused: "Paused: the portal’s page has changed for several jobs",
};

export function mount(root, page) {
  return scoped(root, page, build);
}

function build(root, page) {
  const { body, scope, asOf } = frame(root, page, { heading: h("h1", {}, "Portals"), lead: "What each account bears, and what waits for it" });
  const list = h("ul", { class: "ops-portals" });
  const watch = new Watch({
    api: page.api, scope, body, asOf, pollMs: CLOCK_MS, everybody: true,
    load: (signal) => page.api.get("/api/portals", {}, { signal }),
    draw: ({ items }) => {
      if (items.length === 0) return fill(body, nothing("queue", "No portal", "None of your projects has an account at a portal yet."));
      if (!list.isConnected) fill(body, list);
      keyed(list, items, { key: (item) => `${item.portal}/${item.account}`, create: () => h("li", { class: "card" }), update: (row, item) => show(row, item, page.api, () => watch.read()) });
    },
  });
  return () => watch.close();
}

function show(row, item, api, done) {
  const state = stateOf(item);
  redraw(row, item, () => [
    h("div", { class: "top" }, h("h2", {}, foreign(item.name, { limit: 80 })), foreign(item.account, { class: "mono faint", limit: 60 }), pill(state)),
    state.why ? h("p", { class: "why" }, foreign(state.why, { limit: 600 }), state.at ? [" · ", time(state.at)] : null, state.by ? [" · ", foreign(state.by.replace(/^(user|device):/, ""), { limit: 80 })] : null) : null,
    h("dl", { class: "facts" },
      h("dt", {}, "Runs"), h("dd", {}, h("meter", { min: 0, max: Math.max(item.max_runs, item.taken), value: item.taken, "aria-label": "Runs at the portal" }), ` ${count(item.taken)} of ${count(item.max_runs)}`, item.open_to < item.max_runs ? ` (open to ${count(item.open_to)} now)` : ""),
      h("dt", {}, "Waiting for it"), h("dd", {}, item.waiting > 0 ? plural(item.waiting, "job") : "none"),
      h("dt", {}, "Starts"), h("dd", {}, item.starts_per_minute ? `${count(item.starts_per_minute)} a minute` : "as they come", item.next_start_at ? [", the next ", time(item.next_start_at)] : ""),
      h("dt", {}, "Breaker"), h("dd", {}, BREAKERS[item.breaker] ?? item.breaker, item.next_probe_at ? [" ", time(item.next_probe_at)] : "")),
    item.operated ? acts(item, api, done) : h("p", { class: "faint small" }, "You can look at this account, but not act on it.")]);
}

const BREAKERS = { closed: "closed: the portal works", open: "open: no run starts, a probe goes out", "half-open": "half-open: one job tries the portal" };

function stateOf(item) {
  if (item.paused_as) return { label: PAUSED[item.paused_as] ?? "Paused", tone: item.paused_as === "paused" ? "warn" : "bad", icon: "hand", why: item.paused_reason, at: item.paused_at, by: item.paused_by };
  if (item.breaker !== "closed") return { label: "The portal is in trouble", tone: "bad", icon: "alert", why: item.breaker_reason };
  if (item.waiting > 0) return { label: "At its limit", tone: "wait", icon: "queue" };
  return { label: "Open", tone: "good", icon: "check" };
}

function acts(item, api, done) {
  const post = (act, body) => api.send("POST", `/api/portals/${encodeURIComponent(item.portal)}/${act}`, { ...body, account: item.account }).then(done);
  const name = `${item.name}, ${item.account}`;
  const button = (act, sign, words, options) => h("button", { type: "button", "data-act": act, onClick: () => ask(options) }, icon(sign), words);
  const resume = { title: `Let ${name} go on?`, label: "Let it go on", run: (given) => post("resume", given) };
  return h("div", { class: "acts" },
    item.paused_as
      ? button("resume", "arrow", "Resume…", { ...resume, text: "What it was paused for is taken to be mended: its jobs start again, and its breaker closes." })
      : button("pause", "hand", "Pause…", { title: `Pause ${name}?`, text: "No run starts until somebody resumes it. Runs that have begun go on to their end.", label: "Pause", run: (given) => post("pause", given) }),
    !item.paused_as && item.breaker !== "closed" ? button("breaker", "retry", "Close the breaker…", { ...resume, title: `Close the breaker of ${name}?`, label: "Close it", text: "Jobs start at once. If the portal fails them again, it opens again." }) : null,
    button("limit", "gear", "Limits…", {
      title: `Limits of ${name}`, label: "Set", text: "They hold from now on. What waits starts where there is room; runs that have begun go on.",
      fields: [
        { name: "max_runs", label: "Runs at once", type: "number", min: 1, max: 1000, value: item.max_runs },
        { name: "starts_per_minute", label: "Starts a minute (0: as they come)", type: "number", min: 0, max: 100000, step: "any", value: item.starts_per_minute ?? 0 },
      ],
      run: (given) => post("limit", { reason: given.reason, max_runs: Number(given.max_runs), starts_per_minute: Number(given.starts_per_minute) }),
    }));
}
