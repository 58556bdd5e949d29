// Failures: what fails now, in groups of one cause, each retried or held as one; and, apart, what is over.

import { ago, count, plural } from "../core.js";
import { fill, foreign, h, keyed, pill, time } from "../dom.js";
import { icon } from "../icons.js";
import { BulkDialog } from "../elements/review/bulk.js";
import { sparkline } from "../operations/charts.js";
import { frame, nothing, scoped, section, Watch } from "../operations/frame.js";
import { stateOf } from "../states.js";
import { errorHeadline, humanize, portalName } from "../words.js";

export const title = "Failures";

const PAGE = 200;
const MOST = 10_000; // jobs that one act takes together; the rest is still there afterwards

export function mount(root, page) {
  return scoped(root, page, build);
}

function build(root, page) {
  const { body, scope, asOf } = frame(root, page, { heading: h("h1", {}, "Failures"), lead: "What fails now, and for what cause" });
  const list = h("ul", { class: "ops-failures" });
  const past = section("Over in the last 24 hours", "");
  past.element.classList.add("ops-past");
  const parts = h("div", { class: "ops-body" });
  const watch = new Watch({
    api: page.api, scope, body, asOf,
    load: (signal) => page.api.get("/api/operations/failures", { project: scope.project }, { signal }),
    draw: (answer) => {
      if (!parts.isConnected) fill(body, parts);
      if (answer.items.length === 0) fill(parts, nothing("check", "Nothing fails", "No job has failed for good, and none is trying again."), past.element);
      else if (!list.isConnected) fill(parts, h("div", { class: "ops-sum", role: "status" }), list, past.element);
      const sum = parts.querySelector(".ops-sum");
      if (sum) fill(sum, h("strong", {}, plural(answer.jobs, "job")), ` for ${plural(answer.groups, "cause")}`, answer.groups > answer.items.length ? `; the ${count(answer.items.length)} largest are shown` : "");
      keyed(list, answer.items, {
        key: ({ cause }) => `${cause.portal}/${cause.fingerprint}`,
        create: (group) => new Group(group, page, scope, () => watch.read()).element,
        update: (row, group) => row.group.update(group),
      });
      showPast(past, answer.past);
    },
  });
  return () => watch.close();
}

class Group {
  #key = "";
  #shown = null;
  #asking = false;

  constructor(group, page, scope, done) {
    Object.assign(this, { page, scope, done, cause: group.cause });
    const { cause } = group;
    this.numbers = h("span", { class: "figure numbers" });
    this.when = h("p", { class: "faint small" });
    this.spark = h("span", {});
    this.message = h("p", { class: "said" });
    this.acts = h("div", { class: "acts" });
    this.answer = h("p", { class: "answer", role: "alert" });
    this.jobs = h("div", { class: "place" });
    this.details = h("details", { onToggle: () => this.details.open && this.#load() }, h("summary", {}, icon("chevron"), "The jobs"), this.jobs);
    this.element = h("li", { class: "card", "data-tone": "bad" },
      h("div", { class: "top" }, h("h2", {}, errorHeadline({ class: cause.error_class })), this.numbers),
      h("div", { class: "top small" }, h("span", { class: "mono" }, cause.code), h("span", { class: "faint" }, portalName(cause.portal)),
        cause.step ? h("span", { class: "faint" }, "step ", foreign(humanize(cause.step), { limit: 80 })) : null, this.spark),
      h("p", { class: "shape" }, foreign(cause.shape, { limit: 300 })),
      this.message, this.when, this.acts, this.answer, this.details);
    this.element.group = this;
  }

  update(group) {
    const key = JSON.stringify(group);
    if (key === this.#key) return;
    this.#key = key;
    const again = group.jobs - group.failed;
    fill(this.numbers, plural(group.jobs, "job"), h("span", { class: "faint" }, again > 0 ? ` (${count(group.failed)} failed, ${count(again)} trying again)` : ""));
    fill(this.when, "first ", time(group.first_at), ", last ", time(group.last_at));
    const tries = group.per_hour.reduce((sum, n) => sum + n, 0);
    fill(this.spark, sparkline(group.per_hour, `${plural(tries, "failed attempt")} in the last 24 hours, ${count(group.per_hour.at(-1))} in this hour`), h("span", { class: "faint" }, ` ${plural(tries, "attempt")} in 24 h`));
    fill(this.message, group.message && group.message !== group.cause.shape ? ["The newest says: ", foreign(group.message, { limit: 500 })] : null);
    const focused = this.acts.contains(document.activeElement) ? document.activeElement.dataset.act : null;
    fill(this.acts,
      h("button", { type: "button", "data-act": "retry", onClick: () => this.#act("retry", () => true) }, icon("retry"), `Retry ${group.jobs === 1 ? "it" : `all ${count(group.jobs)}`}…`),
      again > 0 ? h("button", { type: "button", "data-act": "hold", onClick: () => this.#act("hold", (job) => job.state === "retrying") }, icon("hand"), `Hold the ${count(again)} that ${again === 1 ? "tries" : "try"} again…`) : null);
    if (focused) this.acts.querySelector(`[data-act="${focused}"]`)?.focus();
    if (this.details.open) this.#load();
  }

  #ask(query) {
    const { portal, fingerprint } = this.cause;
    const path = [portal, fingerprint].map(encodeURIComponent).join("/");
    return this.page.api.get(`/api/operations/failures/${path}/jobs`, { project: this.scope.project, ...query });
  }

  /** The jobs as they are now are named one by one: what joins the group meanwhile is not swept in. */
  async #act(act, wanted) {
    if (this.#asking) return;
    this.#asking = true;
    fill(this.answer);
    try {
      const jobs = [];
      let cursor = null;
      do {
        const piece = await this.#ask({ limit: PAGE, cursor });
        jobs.push(...piece.items.filter(wanted).map((job) => job.id));
        cursor = piece.next;
      } while (cursor && jobs.length < MOST);
      if (!this.element.isConnected) return; // the page was left, or nothing fails any more
      if (jobs.length === 0) return this.done();
      new BulkDialog({ api: this.page.api, host: this.element.closest(".view"), act, jobs: jobs.slice(0, MOST), onStep: () => {} });
    } catch (problem) {
      fill(this.answer, `The jobs could not be read: ${problem.message}`);
    } finally {
      this.#asking = false;
    }
  }

  async #load() {
    try {
      const { items, next } = await this.#ask({ limit: 20 });
      const key = JSON.stringify(items);
      if (this.#shown === key) return;
      this.#shown = key;
      fill(this.jobs, h("ul", { class: "jobs" }, items.map((job) => h("li", {},
        h("a", { href: `/records/${encodeURIComponent(job.record_id)}` }, foreign(job.asset_key || job.external_ref, { limit: 80 })),
        job.asset_key ? foreign(job.external_ref, { class: "mono faint", limit: 40 }) : null, pill(stateOf(job.state)), h("span", { class: "faint" }, time(job.at)),
        foreign(job.message, { class: "said faint", limit: 300 })))),
      next ? h("p", { class: "faint small" }, "The newest 20 are shown.") : null);
    } catch (problem) {
      fill(this.jobs, h("p", { class: "answer", role: "alert" }, `The jobs could not be loaded: ${problem.message}`));
    }
  }
}

function showPast(part, items) {
  part.element.hidden = items.length === 0;
  part.say(plural(items.length, "cause"));
  fill(part.body, h("p", { class: "faint" }, "Attempts that failed, of jobs that have gone on since."),
    h("ul", { class: "past" }, items.map(({ cause, attempts, last_at, per_hour }) => h("li", {},
      h("span", { class: "mono small" }, cause.code), foreign(cause.shape || errorHeadline({ class: cause.error_class }), { limit: 200 }),
      h("span", { class: "faint small" }, `${portalName(cause.portal)}, ${plural(attempts, "attempt")}, last ${ago(last_at)}`),
      sparkline(per_hour, `${plural(attempts, "failed attempt")} in the last 24 hours`)))));
}
