// <form-review-table project q state review severity portal received captured>: the records that match, newest first, live; without
// project those of all. Tells `record-open` {recordId} and `filter-change` {part: value}; whoever holds it keeps the filter in
// its attributes (see filters.js). With `acts` (retry hold release cancel, between spaces) rows can be chosen for them.

import { apiFor } from "../api.js";
import { count, plural } from "../core.js";
import { fill, h, keyed, onFrame, perFrame, rowOf, setText, throttle } from "../dom.js";
import { acquireFeed } from "../feed.js";
import { asked, askedBody, FILTER_PARTS, isNarrowed } from "../filters.js";
import { icon } from "../icons.js";
import { RowChoice } from "./review/choice.js";
import { exportMenu } from "./review/export.js";
import { emptyWords, ReviewFilter } from "./review/filter.js";
import { News } from "./review/news.js";
import { ReviewPages } from "./review/pages.js";
import { createRow, updateRow } from "./review/row.js";

const COUNT_MS = 5000; // counting reads every line that matches
const COLUMNS = ["Record", "Crew", "Photos", "Findings", "Automation", "Received"];

class FormReviewTable extends HTMLElement {
  static observedAttributes = ["project", ...FILTER_PARTS];
  #feed = null;
  #parts = null;
  #pages = new ReviewPages(this.#listed());
  #counts = {};
  #stale = new Set();
  #freshen = perFrame(this.#stale, (id) => this.#showRow(id));
  #filterBar = new ReviewFilter((change) => this.#filter(change));
  #choice = null;
  #news = new News((job) => this.#pages.rows.find((row) => row.id === job.record_id)?.asset_key || job.external_ref);
  #holds = (recordId) => this.#pages.known.has(recordId);
  #render = () => this.#show();
  #refresh = throttle(() => this.#load("refresh"), 1000);
  #reload = throttle(() => this.#load("first"), 0);
  #recount = throttle(() => this.#count(), COUNT_MS);
  #onJob = ({ detail }) => this.#take(detail);
  // A review, a photo or a finding that changed no job; of a record that is not shown it may decide whether it matches.
  #onRecord = ({ detail }) => {
    if (this.#pages.starting || this.#pages.known.has(detail.record_id) || isNarrowed(this.#asked)) this.#refresh();
  };

  /** Records by job state, for the filter chips. */
  set counts(counts) {
    this.#counts = counts;
    onFrame(this.#render);
  }

  focusSearch() {
    this.#filterBar.focusSearch();
  }

  /** Choose no row. */
  chooseNone() {
    this.#choice?.clear();
  }

  /** Move the focus by rows; from outside the rows to the first of them. */
  step(by) {
    const rows = [...this.#parts.body.rows];
    const from = rows.indexOf(document.activeElement?.closest("tr"));
    rows[from < 0 ? 0 : Math.min(rows.length - 1, Math.max(0, from + by))]?.focus();
  }

  connectedCallback() {
    this.#parts ??= this.#build();
    this.#follow();
  }

  disconnectedCallback() {
    this.#leave();
  }

  attributeChangedCallback(name, before, after) {
    if (!this.isConnected || !this.#parts) return;
    if (name === "project" && before !== after) return this.#follow();
    if ((before ?? "") === (after ?? "")) return;
    this.#pages.forgetTotal();
    this.#choice?.clear();
    this.#filterBar.show(this.#asked, this.#counts); // at once: the next chip is pressed before the list has come
    this.#reload();
  }

  #build() {
    const parts = {
      body: h("tbody", { role: "rowgroup" }),
      more: h("button", { type: "button", hidden: true, onClick: () => this.#load("more") }, "Load more"),
      empty: h("div", { class: "empty", hidden: true }),
      total: h("span", { class: "faint" }),
      trouble: h("span", { class: "faint", "aria-hidden": "true" }),
    };
    parts.body.addEventListener("click", (event) => this.#onClick(event));
    parts.body.addEventListener("keydown", (event) => this.#onKey(event));
    const acts = (this.getAttribute("acts") ?? "").split(" ").filter(Boolean);
    if (acts.length > 0) this.#choice = new RowChoice({ acts, api: apiFor(this), list: this.#chosenFrom() });
    this.#choice?.watch(parts.body);
    const head = h("tr", { role: "row" }, this.#choice?.head, COLUMNS.map((name) => h("th", { role: "columnheader", scope: "col" }, name)));
    parts.table = h("table", { role: "table", class: this.#choice && "choosable", "aria-label": "Records" }, h("thead", { role: "rowgroup" }, head), parts.body);
    this.append(
      this.#filterBar.element,
      h("div", { class: "card sheet" }, parts.table, parts.empty),
      h("div", { class: "below" }, parts.total, parts.more, parts.trouble, exportMenu(apiFor(this), () => this.#query)),
      this.#choice?.element ?? "",
      this.#news.element,
    );
    return parts;
  }

  /** What the pages need to know of the list, and tell it. */
  #listed() {
    const table = this;
    return {
      get api() {
        return apiFor(table);
      },
      query: () => this.#query,
      took: (items) => this.#took(items),
      failed: (problem) => this.#fail(problem),
      busy: (whether) => this.toggleAttribute("busy", whether),
      stale: () => this.#refresh(),
      held: (id) => this.#isHeld(rowOf(this.#parts.body, id)),
    };
  }

  /** Whether somebody looks at a row, works in it, or has chosen it. */
  #isHeld(row) {
    return Boolean(row) && (row.getBoundingClientRect().top < innerHeight || row.contains(document.activeElement) || Boolean(this.#choice?.has(row.dataset.id)));
  }

  /** What choosing needs to know of the list. */
  #chosenFrom() {
    return {
      shown: () => this.#pages.rows.map((row) => row.id),
      jobOf: (id) => (this.#feed?.store.forRecord(id) ?? this.#pages.rows.find((row) => row.id === id)?.job)?.id,
      total: () => (this.#pages.whole ? null : this.#pages.total),
      filter: () => askedBody(this.#asked, this.getAttribute("project")),
      count: () => apiFor(this).get("/api/records/count", this.#query),
      changed: this.#render,
      acted: this.#refresh,
    };
  }

  #leave() {
    for (const task of [this.#refresh, this.#news, this.#reload, this.#recount]) task.cancel();
    this.#filterBar.leave();
    this.#pages.stop();
    this.#feed?.removeEventListener("job", this.#onJob);
    this.#feed?.removeEventListener("record", this.#onRecord);
    this.#feed?.removeEventListener("stale", this.#refresh);
    this.#feed?.holders.delete(this.#holds);
    this.#feed?.release();
    this.#feed = null;
  }

  #follow() {
    this.#leave();
    if (!this.hasAttribute("project")) return;
    this.#feed = acquireFeed(apiFor(this), { project: this.getAttribute("project") });
    this.#feed.addEventListener("job", this.#onJob);
    this.#feed.addEventListener("record", this.#onRecord);
    this.#feed.addEventListener("stale", this.#refresh);
    this.#feed.holders.add(this.#holds);
    this.#load("first");
    this.#choices();
  }

  get #asked() {
    return Object.fromEntries(FILTER_PARTS.map((name) => [name, this.getAttribute(name) ?? ""]));
  }

  get #query() {
    return asked(this.#asked, this.getAttribute("project"));
  }

  #load(kind) {
    if (this.#feed) this.#pages.load(kind);
  }

  #took(items) {
    for (const row of items) this.#feed.merge(row.job);
    this.#choice?.keep(this.#pages.known);
    this.#parts.empty.removeAttribute("data-tone");
    setText(this.#parts.trouble, "");
    this.#show();
    this.#recount();
  }

  /** How many match, told when it is known; the list does not wait for it. */
  async #count() {
    await this.#pages.count();
    this.#showTotal();
  }

  #showTotal() {
    const shown = this.#pages.rows.length;
    const total = this.#pages.total;
    const words = total && `${count(total.count)}${total.more ? " or more" : ""}`;
    const all = total?.count === shown ? plural(shown, "record") : `${count(shown)} of ${words} records`;
    setText(this.#parts.total, shown > 0 && total ? all : "");
    this.#choice?.show();
  }

  /** The portals one may choose from; without them the list is as good. */
  async #choices() {
    const listed = await apiFor(this).get("/api/portals").catch(() => null);
    if (listed) this.#filterBar.portals = listed.items;
  }

  #fail(problem) {
    const retry = h("button", { type: "button", onClick: this.#reload }, "Try again");
    this.#parts.empty.dataset.tone = "bad";
    fill(this.#parts.empty, icon("alert"), h("h2", {}, "The records could not be loaded"), h("p", {}, problem.message), retry);
    this.#parts.empty.hidden = this.#pages.rows.length > 0;
    if (this.#pages.rows.length > 0) {
      setText(this.#parts.trouble, `Could not refresh: ${problem.message}`);
      this.#news.tell(this.#parts.trouble.textContent);
    }
    this.#showRows();
  }

  #take({ job, previous }) {
    const known = this.#pages.known.has(job.record_id);
    const moved = previous?.state !== job.state;
    if (known && moved && previous) this.#news.take(job);
    const narrowed = isNarrowed(this.#asked);
    // What the list itself shows may have changed: a new record, a photo that came, a row that left the filter.
    const changed = known
      ? moved && (narrowed || previous?.state === "awaiting_media" || previous?.state === "held")
      : previous?.seq !== job.seq;
    if (changed && (known || this.#pages.starting || this.#pages.reach(job.created_at))) this.#refresh();
    else if (changed && narrowed) this.#recount();
    if (known) {
      this.#stale.add(job.record_id);
      this.#freshen();
    }
  }

  #show() {
    if (!this.#parts || !this.#feed) return;
    this.#filterBar.show(this.#asked, this.#counts);
    this.#showRows();
    this.#showTotal();
    this.#parts.more.hidden = this.#pages.whole;
    if (!this.#pages.loaded || this.#parts.empty.dataset.tone === "bad") return;
    this.#parts.empty.hidden = this.#pages.rows.length > 0;
    if (this.#pages.rows.length === 0) fill(this.#parts.empty, ...emptyWords(this.#asked, () => this.#filterBar.clear()));
  }

  #showRows() {
    const { body, table } = this.#parts;
    table.hidden = this.#pages.loaded && this.#pages.rows.length === 0;
    keyed(body, this.#pages.rows, {
      key: (row) => row.id,
      create: (row) => createRow(row, this.#choice !== null),
      update: (element, row) => this.#update(element, row),
    });
  }

  // One row, and not all of them for each change: five hundred of those would keep the page from answering.
  #showRow(id) {
    const element = rowOf(this.#parts.body, id);
    const row = element && this.#feed && this.#pages.rows.find((one) => one.id === id);
    if (row) this.#update(element, row);
  }

  #update(element, row) {
    const job = this.#feed.store.forRecord(row.id) ?? row.job;
    updateRow(element, row, job, { mixed: this.getAttribute("project") === "", selected: this.#choice?.has(row.id) ?? false });
  }

  #filter(change) {
    this.dispatchEvent(new CustomEvent("filter-change", { detail: change }));
  }

  #onClick(event) {
    const row = event.target.closest("tr[data-id]");
    if (!row || event.target.closest(".tick")) return;
    if (event.ctrlKey || event.metaKey || event.shiftKey || String(getSelection()).length > 0) return;
    event.preventDefault();
    this.#open(row);
  }

  #onKey(event) {
    const row = event.target.closest("tr[data-id]");
    if (!row || event.target.closest("input, a")) return;
    if (event.key === "ArrowDown") this.step(1);
    else if (event.key === "ArrowUp") this.step(-1);
    else if (event.key === "Enter") this.#open(row);
    else if (event.key === " " && this.#choice) this.#choice.toggle(row.dataset.id, { range: event.shiftKey });
    else return;
    event.preventDefault();
  }

  #open(row) {
    row.focus({ preventScroll: true });
    this.dispatchEvent(new CustomEvent("record-open", { bubbles: true, detail: { recordId: row.dataset.id } }));
  }
}

customElements.define("form-review-table", FormReviewTable);
