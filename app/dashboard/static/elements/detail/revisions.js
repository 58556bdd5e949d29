// The revisions of a record, and what two of them differ in.

import { visible } from "../../core.js";
import { fill, foreign, h, pill, time } from "../../dom.js";
import { humanize, personOf } from "../../words.js";

const KINDS = {
  added: { label: "Added", tone: "good", icon: "down" },
  changed: { label: "Changed", tone: "run", icon: "retry" },
  replaced: { label: "Replaced", tone: "run", icon: "retry" },
  removed: { label: "Removed", tone: "bad", icon: "cross" },
};

export class RevisionsSection {
  #record = null;
  #known = 0;
  #items = [];
  #asked = "";

  constructor({ api }) {
    this.api = api;
    this.tail = h("span", { class: "count" });
    this.from = h("select", { "aria-label": "Compare revision", onChange: () => this.#compare() });
    this.to = h("select", { "aria-label": "with revision", onChange: () => this.#compare() });
    this.why = h("p", { class: "faint" });
    this.body = h("div", { class: "section-body" });
    this.element = h("section", { class: "section revisions", "aria-label": "Revisions", hidden: true }, h("h3", {}, "Revisions", this.tail),
      h("div", { class: "compare" }, h("span", {}, "From"), this.from, h("span", {}, "to"), this.to), this.why, this.body);
  }

  update(record) {
    this.#record = record;
    this.element.hidden = record.revision < 2;
  }

  async load() {
    const { id, revision } = this.#record;
    if (revision < 2 || revision === this.#known) return;
    try {
      this.#items = (await this.api.get(`/api/records/${encodeURIComponent(id)}/revisions`)).items;
      this.#known = revision;
      this.tail.textContent = String(this.#items.length);
      for (const [select, chosen] of [[this.from, -2], [this.to, -1]]) {
        fill(select, this.#items.map((item) => h("option", { value: String(item.revision) }, `Revision ${item.revision}`)));
        select.value = String(this.#items.at(chosen).revision);
      }
      await this.#compare();
    } catch (problem) {
      this.#failed(problem);
    }
  }

  async #compare() {
    const [from, to] = [this.from.value, this.to.value];
    const asked = (this.#asked = `${from} ${to}`);
    try {
      const diff = await this.api.get(`/api/records/${encodeURIComponent(this.#record.id)}/diff`, { from, to });
      if (asked === this.#asked) this.#show(diff);
    } catch (problem) {
      if (asked === this.#asked) this.#failed(problem);
    }
  }

  #failed(problem) {
    fill(this.body, h("p", { class: "answer", role: "alert" }, `The revisions could not be compared: ${visible(problem.message, 200)}`));
  }

  #show({ later, whole, changes, photos }) {
    const item = this.#items.find((each) => each.revision === later);
    fill(this.why, item ? [`Revision ${later}: `, foreign(personOf(item.by), { limit: 120 }), " · ", time(item.at),
      item.reason ? [" · after “", foreign(item.reason, { limit: 500 }), "”"] : null] : null);
    const titles = this.#record.form.schema?.properties ?? {};
    const shots = new Map(this.#record.form.shots.map((shot) => [shot.key, shot.label]));
    const rows = [
      ...changes.map((change) => row(change.kind, nameOf(change.pointer, titles), valueOf(change.before, change.kind === "added"), valueOf(change.after, change.kind === "removed"))),
      ...photos.map((photo) => row(photo.kind, `Photo: ${shots.get(photo.shot) ?? humanize(photo.shot)}`, photo.before ? foreign(photo.before, { limit: 120 }) : "",
        photo.kind === "removed" ? "" : foreign(photo.name, { limit: 120 }))),
    ];
    fill(this.body,
      rows.length === 0 ? h("p", { class: "faint" }, "They hold the same.") : h("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": "Differences" },
        h("table", { class: "inner" },
          h("thead", {}, h("tr", {}, ["What", "Change", "Before", "After"].map((name) => h("th", { scope: "col" }, name)))),
          h("tbody", {}, rows))),
      whole ? null : h("p", { class: "faint" }, "Of one of them only the fields were kept: photos and position are not compared."));
  }
}

const row = (kind, name, before, after) =>
  h("tr", { "data-kind": kind }, h("th", { scope: "row" }, foreign(name, { limit: 160 })), h("td", {}, pill(KINDS[kind])), h("td", {}, before), h("td", {}, after));

/** `/fields/depth_m` by the form's own words; deeper places and everything beside the fields by their path. */
function nameOf(pointer, titles) {
  if (!pointer.startsWith("/fields/")) return humanize(pointer.slice(1).replaceAll("/", " "));
  const [key, ...rest] = pointer.slice("/fields/".length).split("/").map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
  return [titles[key]?.title ?? humanize(key), ...rest].join(" › ");
}

function valueOf(value, absent) {
  if (absent) return "";
  if (value === null || value === undefined || value === "") return h("span", { class: "faint" }, "Empty");
  if (typeof value === "boolean") return value ? "Yes" : "No";
  return foreign(typeof value === "object" ? JSON.stringify(value) : value, { limit: 500 });
}
