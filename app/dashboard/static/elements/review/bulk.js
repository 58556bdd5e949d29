// What can be done with the chosen rows: a bar that stands at the bottom of the list, and the dialog that asks why, does it
// in pieces, and says of what was skipped why. The API decides; the acts offered here are comfort.

import { count, plural, visible } from "../../core.js";
import { fill, h, setText } from "../../dom.js";
import { icon } from "../../icons.js";

const PIECE = 200; // as many as one request takes
const GROUPS = 8;
const PATH = "/api/jobs/bulk";
const ACTS = {
  retry: { label: "Retry", icon: "retry", done: "sent on their way again", text: "Failed, cancelled and waiting jobs run at once, with a fresh budget of attempts." },
  hold: { label: "Hold", icon: "hand", done: "put on hold", text: "Jobs that wait start no run until somebody releases them." },
  release: { label: "Release", icon: "arrow", done: "released", text: "Jobs on hold go on. What else they wait for, they wait for again." },
  cancel: { label: "Cancel jobs", icon: "stop", done: "cancelled", text: "Jobs that run are asked to stop; all others end at once. The records stay." },
};

export class BulkBar {
  #parts;

  /** `acts`: names of ACTS; `run(act)`, `everything()`, `clear()` are called when a person wants it. */
  constructor({ acts, run, everything, clear }) {
    const words = h("strong", { "aria-live": "polite" });
    const all = h("button", { type: "button", class: "quiet", onClick: everything });
    const buttons = acts.filter((act) => ACTS[act]).map((act) =>
      h("button", { type: "button", "data-act": act, onClick: () => run(act) }, icon(ACTS[act].icon), ACTS[act].label));
    const close = h("button", { type: "button", class: "quiet square", title: "Choose none (Esc)", onClick: clear },
      icon("close"), h("span", { class: "visually-hidden" }, "Choose none"));
    const trouble = h("span", { class: "answer", role: "alert" });
    this.element = h("div", { class: "bulk card", role: "region", "aria-label": "Selected records", hidden: true },
      words, all, trouble, h("span", { class: "acts" }, buttons), close);
    this.#parts = { words, all, trouble };
  }

  /** Say what went wrong; nothing takes it back. */
  tell(trouble) {
    setText(this.#parts.trouble, trouble);
  }

  /** `total`: how many match, as far as is known; `shown`: rows on the page. */
  show({ size, everything, total, shown }) {
    this.element.hidden = size === 0;
    if (size === 0) this.tell("");
    setText(this.#parts.words, everything ? `Everything that matches: ${plural(size, "record")}` : `${count(size)} selected`);
    const more = !everything && total && !total.more && total.count > size && size === shown;
    this.#parts.all.hidden = !more;
    if (more) setText(this.#parts.all, `Select all ${count(total.count)} that match`);
  }
}

/**
 * Asks for the reason, acts in pieces, and tells. `jobs`: ids, or null for everything that matches `filter`, of which the person
 * saw `expect`. `onStep` is called after each piece, `recount` asks how many match now. It stands in `host`, and ends with it.
 */
export class BulkDialog {
  #given;
  #parts;
  #expect;
  #running = false;
  #stopped = false;

  constructor(given) {
    this.#given = given;
    this.#expect = given.jobs?.length ?? given.expect;
    this.#parts = this.#build();
    this.#showTitle();
    given.host.append(this.#parts.dialog);
    this.#parts.dialog.showModal();
  }

  close() {
    this.#stopped = true;
    this.#parts.dialog.close();
  }

  #build() {
    const { label, text } = ACTS[this.#given.act];
    const parts = {
      title: h("h2", { id: "bulk-title" }),
      reason: h("input", { name: "reason", required: true, maxlength: 500, autocomplete: "off" }),
      bar: h("progress", { max: Math.max(1, this.#expect), value: 0, "aria-label": "Progress", hidden: true }),
      said: h("div", { class: "bulk-said", role: "status" }),
      go: h("button", { type: "submit", class: "primary" }, label),
      close: h("button", { type: "button", onClick: () => parts.dialog.close() }, "Close"),
    };
    const form = h("form", { class: "retry", method: "dialog" }, h("label", {}, "Reason", parts.reason), parts.bar, parts.said,
      h("div", { class: "acts" }, parts.go, parts.close));
    parts.dialog = h("dialog", { class: "waive", "aria-labelledby": "bulk-title" }, parts.title, h("p", {}, text), form);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (!this.#running) this.#run();
    });
    // While it runs, closing means stopping: what one does not see should not go on.
    parts.dialog.addEventListener("close", () => {
      this.#stopped = true;
      parts.dialog.remove();
    });
    return parts;
  }

  #showTitle() {
    const all = this.#given.jobs ? "" : "everything that matches, ";
    setText(this.#parts.title, `${ACTS[this.#given.act].label}: ${all}${plural(this.#expect, "record")}`);
  }

  #showRunning(running) {
    const { go, reason, bar, close } = this.#parts;
    this.#running = running;
    go.hidden = reason.disabled = running;
    if (running) bar.hidden = false;
    setText(close, running ? "Stop" : "Close");
  }

  async #run() {
    const sum = { done: 0, skipped: [] };
    this.#showRunning(true);
    try {
      for await (const piece of this.#pieces()) {
        sum.done += piece.done;
        sum.skipped.push(...piece.items.filter((item) => item.outcome === "skipped"));
        this.#parts.bar.value = sum.done + sum.skipped.length;
        this.#given.onStep();
        this.#tell(sum);
        if (this.#stopped || !this.#parts.dialog.isConnected) break;
      }
      this.#showRunning(false);
      // It is done: the same again would be another act.
      this.#parts.go.hidden = this.#parts.reason.disabled = true;
    } catch (problem) {
      await this.#failed(problem, sum);
    }
  }

  async *#pieces() {
    const { api, act, jobs, filter } = this.#given;
    const body = { action: act, reason: this.#parts.reason.value.trim() };
    if (jobs) {
      for (let from = 0; from < jobs.length; from += PIECE) yield api.send("POST", PATH, { ...body, jobs: jobs.slice(from, from + PIECE) });
      return;
    }
    let next = { cursor: null, left: this.#expect };
    do {
      const piece = await api.send("POST", PATH, { ...body, filter, expect: next.left, cursor: next.cursor });
      yield piece;
      next = { cursor: piece.next, left: piece.left };
    } while (next.cursor);
  }

  #tell({ done, skipped }) {
    const left = skipped.length > 0 ? ` ${count(skipped.length)} left as they are:` : "";
    fill(this.#parts.said, h("p", {}, `${plural(done, "job")} ${ACTS[this.#given.act].done}.${left}`),
      skipped.length > 0 && h("ul", {}, reasonsOf(skipped)));
  }

  async #failed(problem, sum) {
    const { said, bar } = this.#parts;
    fill(said);
    if (sum.done + sum.skipped.length > 0) this.#tell(sum);
    said.append(h("p", { class: "answer" }, problem.message));
    if (problem.code === "selection-grown" && sum.done === 0) {
      this.#expect = (await this.#given.recount().catch(() => null))?.count ?? this.#expect;
      bar.max = Math.max(1, this.#expect);
      this.#showTitle();
      said.append(h("p", {}, `By now ${plural(this.#expect, "record")} match. Look again, or go on with all of them.`));
    }
    bar.hidden = true;
    this.#showRunning(false);
  }
}

/** The reasons of what was skipped, the most frequent first, each with some of the records. */
function reasonsOf(skipped) {
  const groups = new Map();
  for (const item of skipped) groups.set(item.detail, [...(groups.get(item.detail) ?? []), item.external_ref].filter(Boolean));
  const counted = new Map();
  for (const { detail } of skipped) counted.set(detail, (counted.get(detail) ?? 0) + 1);
  return [...counted].sort((a, b) => b[1] - a[1]).slice(0, GROUPS).map(([detail, n]) => {
    const refs = groups.get(detail).slice(0, 3);
    return h("li", {}, `${count(n)}: ${visible(detail, 200)}`, refs.length > 0 && h("span", { class: "faint mono" }, ` ${refs.join(" ")}${n > refs.length ? " …" : ""}`));
  });
}
