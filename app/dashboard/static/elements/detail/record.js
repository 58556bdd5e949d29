// The sections of a record page that show the record itself: facts, fields by the form's labels, findings.

import { count, exact, own, visible } from "../../core.js";
import { fill, foreign, h, time } from "../../dom.js";
import { icon } from "../../icons.js";
import { humanize, reviewLabel, severityOf, SEVERITY_ORDER } from "../../words.js";

/** A section that is built again only when what it shows has changed. */
export class Section {
  #shown = "";

  constructor(title, name) {
    this.body = h("div", { class: "section-body" });
    this.tail = h("span", { class: "count" });
    this.element = h("section", { class: `section ${name}`, "aria-label": title }, h("h3", {}, title, this.tail), this.body);
  }

  update(record, job, role) {
    const data = this.pick(record, job, role);
    const text = JSON.stringify(data);
    if (text === this.#shown) return;
    this.#shown = text;
    this.draw(data);
  }
}

const entry = (label, value) => (value === null || value === "" ? null : [h("dt", {}, label), h("dd", {}, value)]);

export class FactsSection extends Section {
  #reviewed;

  /** `reviewed`: whether it says how the review stands; a page has a section for that. */
  constructor({ reviewed }) {
    super("About", "about");
    this.#reviewed = reviewed;
  }

  pick({ received_at, captured_at, crew, device, lat, lon, h_accuracy_m, revision, review_state, form_title, form_version, id }) {
    return { received_at, captured_at, crew, device, lat, lon, h_accuracy_m, revision, review_state, form_title, form_version, id };
  }

  draw(r) {
    const place = r.lat === null || r.lon === null ? null : `${r.lat.toFixed(6)}, ${r.lon.toFixed(6)}`;
    const accuracy = r.h_accuracy_m === null || r.h_accuracy_m === undefined ? "" : ` ± ${Math.round(r.h_accuracy_m)} m`;
    fill(this.body, h("dl", { class: "facts" },
      this.#reviewed ? entry("Review", reviewLabel(r.review_state)) : null,
      entry("Crew", r.crew ? foreign(r.crew, { limit: 120 }) : null),
      entry("Device", r.device ? foreign(r.device, { limit: 120 }) : null),
      entry("Captured", r.captured_at ? time(r.captured_at) : null),
      entry("Received", h("span", { title: exact(r.received_at) }, time(r.received_at))),
      entry("Position", place ? [h("span", { class: "mono" }, place), accuracy] : "Not given"),
      entry("Form", [foreign(r.form_title, { limit: 80 }), ` v${r.form_version}`]),
      entry("Revision", String(r.revision)),
      entry("Record", h("span", { class: "mono small" }, r.id))));
  }
}

export class FieldsSection extends Section {
  constructor() {
    super("Fields", "values");
  }

  pick({ fields, form, defect_list }) {
    const open = defect_list.filter((defect) => defect.status === "open" && defect.field);
    return { fields, form: { schema: form.schema, measures: form.measures }, flagged: open.map((d) => [d.field, d.severity]) };
  }

  draw({ fields, form, flagged }) {
    const properties = form.schema?.properties ?? {};
    const known = Object.keys(properties).filter((key) => Object.hasOwn(fields, key) || (form.schema.required ?? []).includes(key));
    const extra = Object.keys(fields).filter((key) => !Object.hasOwn(properties, key));
    const measures = new Map((form.measures ?? []).map((measure) => [measure.field, measure]));
    const rows = [...known, ...extra].map((key) => {
      const worst = SEVERITY_ORDER.find((severity) => flagged.some(([field, s]) => s === severity && fieldName(field) === key));
      const label = foreign(properties[key]?.title ?? humanize(key), { limit: 120 });
      const flag = worst ? h("span", { class: "flag", "data-tone": severityOf(worst).tone, title: `${severityOf(worst).label} finding` },
        icon(severityOf(worst).icon), h("span", { class: "visually-hidden" }, `${severityOf(worst).label} finding`)) : null;
      return [h("dt", {}, label, flag), h("dd", {}, valueOf(own(fields, key)), unitOf(measures.get(key), properties[key]?.title ?? ""))];
    });
    fill(this.body, rows.length > 0 ? h("dl", { class: "fields" }, rows) : h("p", { class: "faint" }, "The form has no fields."));
  }
}

export const fieldName = (field) => field.replace(/^\/?(fields\/)?/, "").split(/[./[]/)[0];

// The unit is said once: beside the value, or in the label if the form has it there.
function unitOf(measure, title) {
  if (!measure) return null;
  const [low, high] = [measure.min ?? null, measure.max ?? null];
  const range = low !== null && high !== null ? `${low} to ${high}` : high !== null ? `up to ${high}` : low !== null ? `from ${low}` : "";
  const unit = measure.unit ? ` ${visible(measure.unit, 20)}` : "";
  return [title.includes(`(${measure.unit})`) ? null : unit, range ? h("span", { class: "range" }, `accepted: ${range}${unit}`) : null];
}

function valueOf(value) {
  if (value === undefined || value === null || value === "") return h("span", { class: "faint" }, "Not filled in");
  if (value === true) return "Yes";
  if (value === false) return "No";
  if (typeof value === "number") return String(value);
  if (Array.isArray(value) && value.length > 0 && value.every((row) => row !== null && typeof row === "object" && !Array.isArray(row))) return tableOf(value);
  if (Array.isArray(value)) return value.length === 0 ? h("span", { class: "faint" }, "Empty") : foreign(value.join(", "));
  if (typeof value === "object") return foreign(JSON.stringify(value));
  return foreign(value);
}

function tableOf(rows) {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))].slice(0, 12);
  const shown = rows.slice(0, 200);
  return h("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": `${count(rows.length)} rows` }, h("table", { class: "inner" },
    h("thead", {}, h("tr", {}, columns.map((name) => h("th", { scope: "col" }, foreign(humanize(name), { limit: 60 }))))),
    h("tbody", {}, shown.map((row) => h("tr", {}, columns.map((name) => h("td", {}, foreign(own(row, name) ?? "", { limit: 200 }))))))));
}
