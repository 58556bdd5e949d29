// The audit: who did what, when, and why; filtered by what stands in the address.

import { count, exact, own } from "../core.js";
import { fill, foreign, h, keyed, setText, time } from "../dom.js";
import { frame, nothing, scoped, Watch } from "../operations/frame.js";
import { stateOf } from "../states.js";
import { actLabel, humanize } from "../words.js";

export const title = "Audit";

const KINDS = [["", "Everything"], ["job.", "Jobs"], ["portal.", "Portals"], ["record.", "Records"], ["defect.", "Findings"], ["question.", "Questions"], ["queue.", "Edits by hand"]];
const FILTERS = ["action", "actor", "record", "since", "until"];
const TYPING_MS = 300;
const PIECE = 50;
const MOST = 200; // what the API gives at once
const PORTALS_MS = 10_000; // an act on a portal is no event of the stream

export function mount(root, page) {
  return scoped(root, page, build);
}

function build(root, page) {
  const { body, scope, asOf } = frame(root, page, { heading: h("h1", {}, "Audit"), lead: "Who did what, and why" });
  const inputs = {
    action: h("select", { name: "action" }, KINDS.map(([value, word]) => h("option", { value }, word))),
    actor: h("input", { name: "actor", type: "search", maxlength: 100, placeholder: "A name" }),
    record: h("input", { name: "record", type: "search", maxlength: 36, placeholder: "Its id", class: "mono" }),
    since: h("input", { name: "since", type: "date" }),
    until: h("input", { name: "until", type: "date" }),
  };
  const labels = { action: "What", actor: "Who", record: "Record", since: "From", until: "Until" };
  const form = h("form", { class: "ops-filters", role: "search", "aria-label": "Filter the audit" }, FILTERS.map((name) => h("label", {}, h("span", {}, labels[name]), inputs[name])));
  const list = h("ul", { class: "ops-audit card" });
  const older = h("button", { type: "button", onClick: () => more() }, "Show older");
  const trouble = h("p", { class: "answer", role: "alert" });
  const below = h("div", { class: "below" }, older, trouble);
  const acts = new Map();
  let next = null;
  let going = null; // what "Show older" asks for
  let typing = 0;

  const fromQuery = () => FILTERS.forEach((name) => { inputs[name].value = page.query.get(name) ?? ""; });
  const asked = () => {
    const given = Object.fromEntries(FILTERS.map((name) => [name, inputs[name].value.trim()]));
    // A day as the viewer sees it, its last one included.
    const day = (value, plus) => { const at = new Date(`${value}T00:00`); at.setDate(at.getDate() + plus); return Number.isNaN(at.getTime()) ? "" : at.toISOString(); };
    return { ...given, project: scope.project, since: given.since && day(given.since, 0), until: given.until && day(given.until, 1) };
  };
  const read = (query, signal) => page.api.get("/api/operations/audit", { ...asked(), ...query }, { signal });
  const show = () => {
    const rows = [...acts.values()].sort((a, b) => b.id - a.id);
    if (rows.length === 0) fill(body, nothing("check", "Nothing on record", "No act of a person fits."));
    else if (!list.isConnected) fill(body, list, below);
    below.hidden = next === null;
    keyed(list, rows, { key: (act) => act.id, create: row });
  };
  const take = (answer) => answer.items.forEach((act) => acts.set(act.id, act));
  const forget = () => {
    going?.abort();
    going = null;
    acts.clear();
  };
  async function more() {
    if (going) return;
    const mine = (going = new AbortController());
    try {
      const answer = await read({ limit: PIECE, cursor: next }, mine.signal);
      if (going !== mine) return; // an answer about another filter
      take(answer);
      next = answer.next;
      setText(trouble, "");
      show();
    } catch (problem) {
      if (going === mine) setText(trouble, problem.message);
    } finally {
      if (going === mine) going = null;
    }
  }
  const watch = new Watch({
    api: page.api, scope, body, asOf, hears: ["record"], pollMs: PORTALS_MS,
    load: (signal) => read({ limit: Math.min(MOST, Math.max(PIECE, acts.size)) }, signal),
    draw: (answer) => {
      // Where the new acts do not reach down to the known ones, those between are missing: begin anew, "Show older" has them.
      if (answer.next === null || !acts.has(answer.items.at(-1).id)) {
        forget();
        next = answer.next;
      }
      take(answer);
      show();
    },
  });
  const anew = () => {
    forget();
    watch.read();
  };
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(() => {
      page.setQuery(Object.fromEntries(FILTERS.map((name) => [name, inputs[name].value.trim()])));
      anew();
    }, TYPING_MS);
  });
  body.before(form);
  fromQuery();
  page.onQuery(() => {
    fromQuery();
    anew();
  });
  return () => {
    clearTimeout(typing);
    forget();
    watch.close();
  };
}

function row(act) {
  const [kind, name] = act.actor.includes(":") ? act.actor.split(/:(.*)/) : ["", act.actor];
  return h("li", {},
    h("div", { class: "when" }, time(act.at), h("span", { class: "faint small" }, exact(act.at))),
    h("div", { class: "what" },
      h("p", {}, h("strong", {}, actLabel(act.action)), " ", subject(act)),
      act.reason ? h("p", { class: "said" }, foreign(act.reason, { limit: 600 })) : null,
      changes(act)),
    h("div", { class: "who" }, foreign(name, { limit: 100 }), h("span", { class: "faint small" }, own({ user: "person", device: "device", "": "by hand, or a process" }, kind) ?? kind)));
}

function subject(act) {
  if (act.record_id) {
    return [h("a", { href: `/records/${encodeURIComponent(act.record_id)}` }, foreign(act.asset_key || act.external_ref || act.record_id, { limit: 80 })),
      act.project ? h("span", { class: "faint" }, " ", foreign(act.project, { limit: 60 })) : null];
  }
  const portal = act.after?.portal ?? act.before?.portal;
  return portal ? foreign([portal, act.after?.account].filter(Boolean).join(", "), { class: "faint", limit: 120 }) : null;
}

const IGNORED = new Set(["seq", "changed_at", "id", "record_id", "queued_at", "started_at", "finished_at", "created_at", "ready_at"]);

/** What became different, by name; objects are not spelled out. */
function changes({ before, after }) {
  if (!before || !after) return null;
  const different = Object.keys(after).filter((key) => !IGNORED.has(key) && JSON.stringify(own(before, key) ?? null) !== JSON.stringify(after[key] ?? null));
  if (different.length === 0) return null;
  const word = (key, value) => (key === "state" ? stateOf(value).label : value === null || value === undefined ? "none" : typeof value === "object" ? "…" : typeof value === "number" ? count(value) : String(value));
  return h("ul", { class: "changes small" }, different.slice(0, 8).map((key) => h("li", {}, `${humanize(key)}: `,
    foreign(word(key, own(before, key)), { limit: 120 }), " → ", foreign(word(key, after[key]), { limit: 120 }))));
}
