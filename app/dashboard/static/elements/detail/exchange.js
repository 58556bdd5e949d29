// What was sent to the portal beside what the portal showed, of the newest attempt that tells; differences are marked.

import { plural, visible } from "../../core.js";
import { fill, foreign, h, pill } from "../../dom.js";
import { icon } from "../../icons.js";
import { portalName } from "../../words.js";

const SAME = { label: "Same", tone: "good", icon: "check" };
const DIFFERS = { label: "Differs", tone: "bad", icon: "cross" };
const UNREAD = { label: "Not read back" };
const NAMES = { "job.external_ref": "Our reference", "files.count": "Number of photos" }; // what is read back without having been keyed
const SHORTENED = "…";
const AGAIN_MS = 5000;

export class ExchangeSection {
  #record = null;
  #job = null;
  #known = "";
  #again = 0;
  #gone = false;

  constructor({ api }) {
    this.api = api;
    this.tail = h("span", { class: "count" });
    this.body = h("div", { class: "section-body" });
    this.element = h("section", { class: "section exchange", "aria-label": "Sent and shown", hidden: true },
      h("h3", {}, "Sent and shown", this.tail), this.body);
  }

  update(record, job) {
    this.#record = record;
    this.#job = job;
    this.element.hidden = record.attempts.length === 0;
  }

  /** Read anew when an attempt has come further; every job of the record is asked, the newest first. */
  async load() {
    const { attempts } = this.#record;
    const key = JSON.stringify(attempts.map((attempt) => [attempt.job_id, attempt.attempt, attempt.outcome, attempt.steps.filter((step) => step.ended_at).length]));
    if (attempts.length === 0 || key === this.#known) return;
    this.#known = key;
    clearTimeout(this.#again);
    try {
      const jobs = [...new Set(attempts.map((attempt) => attempt.job_id))];
      let told = null;
      for (const job of jobs.slice(0, 5)) {
        const { items } = await this.api.get(`/api/jobs/${encodeURIComponent(job)}/attempts`);
        told = items.find(({ exchange }) => exchange?.keyed || exchange?.read_back);
        if (told) break;
      }
      if (key === this.#known) this.#show(told);
    } catch (problem) {
      if (this.#gone) return;
      this.#known = "";
      const words = `It could not be read: ${visible(problem.message, 200)}`;
      if (this.body.textContent !== words) fill(this.body, h("p", { class: "answer", role: "alert" }, words));
      if (problem.passing) this.#again = setTimeout(() => this.load(), AGAIN_MS);
    }
  }

  dispose() {
    this.#gone = true;
    clearTimeout(this.#again);
  }

  #show(told) {
    const portal = foreign(portalName(this.#job?.portal), { limit: 80 });
    if (!told) {
      fill(this.body, h("p", { class: "faint" }, "Nothing has been keyed yet, or the automation of ", portal, " does not tell what it keys and reads."));
      return;
    }
    const rows = rowsOf(told.exchange);
    const differ = rows.filter((row) => row.mark === DIFFERS);
    this.tail.textContent = differ.length > 0 ? `${differ.length} of ${plural(rows.length, "value")} differ` : plural(rows.length, "value");
    const confirmation = told.outcome === "completed" && this.#job?.id === told.job_id ? this.#job.confirmation : null;
    fill(this.body,
      differ.length > 0 ? h("p", { class: "notice", "data-tone": "bad" }, icon("cross"), h("span", {}, sentence(differ, portal.cloneNode(true), told.outcome))) : null,
      h("p", { class: "faint" }, `Attempt ${told.attempt}: what was keyed into `, portal, told.exchange.read_back ? " and what its page showed before it was submitted." : "; what its pages showed was not told."),
      h("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": "Sent and shown" }, h("table", { class: "inner" },
        h("thead", {}, h("tr", {}, ["At the portal", "Sent", "Shown", ""].map((name) => h("th", { scope: "col" }, name || h("span", { class: "visually-hidden" }, "Compared"))))),
        h("tbody", {}, rows.map((row) => h("tr", { "data-tone": row.mark === DIFFERS ? "bad" : null },
          h("th", { scope: "row" }, foreign(nameOf(row.at), { limit: 120 })), h("td", {}, valueOf(row.sent, row.blanks)), h("td", {}, valueOf(row.shown, row.blanks)), h("td", {}, row.mark === UNREAD ? h("span", { class: "faint" }, UNREAD.label) : pill(row.mark))))))),
      confirmation ? h("p", {}, "The portal confirmed it as ", foreign(confirmation, { class: "mono", limit: 120 }), ".") : null);
  }
}

/** What is keyed and what is shown, by place; what differs stands first, as it is what somebody has to look at. */
function rowsOf({ keyed, read_back: read }) {
  const shown = new Map((read ?? []).map((value) => [value.at, value]));
  const rows = Object.entries(keyed ?? {}).map(([at, sent]) => {
    const value = shown.get(at);
    shown.delete(at);
    return value ? compared(value) : { at, sent, shown: null, mark: UNREAD };
  });
  const all = [...rows, ...[...shown.values()].map(compared)];
  return [...all.filter((row) => row.mark === DIFFERS), ...all.filter((row) => row.mark !== DIFFERS)];
}

function compared({ at, sent, shown }) {
  // Of a long text only the beginning is kept.
  const same = sent === shown || (sent.endsWith(SHORTENED) && shown.startsWith(sent.slice(0, -1)));
  return { at, sent, shown, mark: same ? SAME : DIFFERS, blanks: !same && bare(sent) === bare(shown) };
}

const bare = (text) => text.replaceAll(/\s+/g, "");

const nameOf = (at) => (Object.hasOwn(NAMES, at) ? NAMES[at] : at);

/** What differs, in words; a run that saw it ends before anything is submitted. */
function sentence(differ, portal, outcome) {
  const which = differ.slice(0, 3).map((row, n) => [n > 0 ? ", " : "", h("b", {}, foreign(nameOf(row.at), { limit: 120 })), row.blanks ? " (in its blanks only)" : ""]);
  const more = differ.length > 3 ? ` and ${differ.length - 3} more` : "";
  const end = outcome === "failed" ? " Nothing was submitted." : "";
  return [portal, " shows something else than was sent: ", which, more, ".", end];
}

/** `blanks`: they are all that differs, so each is drawn. */
function valueOf(value, blanks = false) {
  if (value === null) return h("span", { class: "faint" }, "–");
  if (value === "") return h("span", { class: "faint" }, "Empty");
  return foreign(blanks ? value.replaceAll(/[^\S\n]/g, "␣").replaceAll("\n", "↵\n") : value, { limit: 600 });
}
