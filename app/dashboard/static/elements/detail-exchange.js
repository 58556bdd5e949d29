// What was sent to the portal beside what the portal showed, of the newest attempt that tells; differences are marked.

import { visible } from "../core.js";
import { fill, foreign, h, pill } from "../dom.js";
import { portalName } from "../words.js";

const SAME = { label: "Same", tone: "good", icon: "check" };
const DIFFERS = { label: "Differs", tone: "bad", icon: "cross" };
const UNREAD = { label: "Not read back", tone: "mute", icon: "info" };
const NAMES = { "job.external_ref": "Our reference", "files.count": "Number of photos" }; // what is read back without having been keyed
const SHORTENED = "…";

export class ExchangeSection {
  #record = null;
  #job = null;
  #known = "";

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
      this.#known = "";
      fill(this.body, h("p", { class: "answer", role: "alert" }, `It could not be read: ${visible(problem.message, 200)}`));
    }
  }

  #show(told) {
    const portal = foreign(portalName(this.#job?.portal), { limit: 80 });
    if (!told) {
      fill(this.body, h("p", { class: "faint" }, "Nothing has been keyed yet, or the automation of ", portal, " does not tell what it keys and reads."));
      return;
    }
    const rows = rowsOf(told.exchange);
    const differ = rows.filter((row) => row.mark === DIFFERS).length;
    this.tail.textContent = differ > 0 ? `${differ} differ` : `${rows.length}`;
    const confirmation = told.outcome === "completed" && this.#job?.id === told.job_id ? this.#job.confirmation : null;
    fill(this.body,
      h("p", { class: "faint" }, `Attempt ${told.attempt}: what was keyed into `, portal, told.exchange.read_back ? " and what its page showed before it was submitted." : "; what its pages showed was not told."),
      h("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": "Sent and shown" }, h("table", { class: "inner" },
        h("thead", {}, h("tr", {}, ["At the portal", "Sent", "Shown", ""].map((name) => h("th", { scope: "col" }, name || h("span", { class: "visually-hidden" }, "Compared"))))),
        h("tbody", {}, rows.map((row) => h("tr", { "data-tone": row.mark === DIFFERS ? "bad" : null },
          h("th", { scope: "row" }, foreign(Object.hasOwn(NAMES, row.at) ? NAMES[row.at] : row.at, { limit: 120 })), h("td", {}, valueOf(row.sent)), h("td", {}, valueOf(row.shown)), h("td", {}, pill(row.mark))))))),
      confirmation ? h("p", {}, "The portal confirmed it as ", foreign(confirmation, { class: "mono", limit: 120 }), ".") : null);
  }
}

function rowsOf({ keyed, read_back: read }) {
  const shown = new Map((read ?? []).map((value) => [value.at, value]));
  const rows = Object.entries(keyed ?? {}).map(([at, sent]) => {
    const value = shown.get(at);
    shown.delete(at);
    return { at, sent, shown: value?.shown ?? null, mark: value ? markOf(value) : UNREAD };
  });
  return [...rows, ...[...shown.values()].map((value) => ({ at: value.at, sent: value.sent, shown: value.shown, mark: markOf(value) }))];
}

// Of a long text only the beginning is kept.
const markOf = ({ sent, shown }) => (sent === shown || (sent.endsWith(SHORTENED) && shown.startsWith(sent.slice(0, -1))) ? SAME : DIFFERS);

function valueOf(value) {
  if (value === null) return h("span", { class: "faint" }, "–");
  return value === "" ? h("span", { class: "faint" }, "Empty") : foreign(value, { limit: 600 });
}
