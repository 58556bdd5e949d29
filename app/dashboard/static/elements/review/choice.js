// Choosing rows of the review table, by mouse and keys, and what is done with the chosen ones.

import { visible } from "../../core.js";
import { h } from "../../dom.js";
import { BulkBar, BulkDialog } from "./bulk.js";
import { Selection } from "./selection.js";

export class RowChoice {
  #selection = new Selection();
  #bar;
  #list;
  #tick = h("input", { type: "checkbox", "aria-label": "Select all rows that are shown" });
  #range = false;
  #dialog = null;

  /**
   * `acts`: names of acts; `list` is asked: `shown()` ids in order, `jobOf(id)`, `total()` {count, more} or null, `filter()` as the
   * API's body, `count()` the server's number now, and told: `changed()` when other rows are chosen, `acted()` after a piece.
   */
  constructor({ acts, api, list }) {
    this.#list = list;
    this.#bar = new BulkBar({ acts, run: (act) => this.#act(api, act), everything: () => this.#everything(), clear: () => this.clear() });
    this.element = this.#bar.element;
    this.head = h("th", { role: "columnheader", scope: "col", class: "c-select" }, h("label", { class: "tick" }, this.#tick));
    this.#tick.addEventListener("change", () => {
      this.#selection.setAll(list.shown(), this.#tick.checked);
      list.changed();
    });
  }

  /** Hear the boxes of the rows below `body`. */
  watch(body) {
    // Not from the click: a click on the label makes another one on the box, which knows of no Shift.
    for (const kind of ["pointerdown", "keydown"]) {
      body.addEventListener(kind, (event) => {
        this.#range = event.shiftKey;
      });
    }
    body.addEventListener("change", (event) => {
      const row = event.target.closest("tr[data-id]");
      if (row) this.#set(row.dataset.id, event.target.checked, this.#range);
    });
  }

  has(id) {
    return this.#selection.has(id);
  }

  toggle(id, { range }) {
    this.#set(id, range || !this.#selection.has(id), range);
  }

  keep(ids) {
    this.#selection.keep(ids);
  }

  /** Choose none; what is being done with the chosen ones ends. */
  clear() {
    this.#dialog?.close();
    if (this.#selection.size === 0) return;
    this.#selection.clear();
    this.#list.changed();
  }

  show() {
    const shown = this.#list.shown();
    const { size, everything } = this.#selection;
    this.#tick.checked = size > 0 && (everything !== null || size === shown.length);
    this.#tick.indeterminate = size > 0 && !this.#tick.checked;
    this.#bar.show({ size, everything: everything !== null, total: this.#list.total(), shown: shown.length });
  }

  #set(id, chosen, range) {
    this.#selection.set(id, chosen, this.#list.shown(), { range });
    this.#list.changed();
  }

  /** The number is asked for anew: the one on the page may be some seconds old. */
  async #everything() {
    this.#bar.tell("");
    try {
      this.#selection.chooseEverything((await this.#list.count()).count);
      this.#list.changed();
    } catch (problem) {
      this.#bar.tell(`Not selected: ${visible(problem.message, 300)}`);
    }
  }

  #act(api, act) {
    const everything = this.#selection.everything;
    const jobs = everything === null ? this.#selection.ids.map((id) => this.#list.jobOf(id)).filter(Boolean) : null;
    this.#dialog = new BulkDialog({
      api, host: this.element.parentElement, act, jobs, filter: this.#list.filter(), expect: everything,
      recount: () => this.#list.count(),
      onStep: () => {
        this.#selection.clear();
        this.#list.changed();
        this.#list.acted();
      },
    });
  }
}
