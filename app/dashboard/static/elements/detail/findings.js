// The findings of a record page: what the checks found, and a person's word that it may stand as it is.

import { count, exact, own, visible } from "../../core.js";
import { fill, foreign, h, pill, time } from "../../dom.js";
import { icon } from "../../icons.js";
import { humanize, personOf, severityOf, SEVERITY_ORDER } from "../../words.js";
import { askWords } from "../ask.js";
import { fieldName, Section } from "./record.js";

export class FindingsSection extends Section {
  #dialog = null;

  constructor({ api, onChange }) {
    super("Findings", "findings-list");
    this.api = api;
    this.onChange = onChange;
  }

  dispose() {
    this.#dialog?.close();
  }

  pick({ id, defect_list, form }, job, role) {
    const titles = Object.fromEntries(Object.entries(form.schema?.properties ?? {}).map(([key, value]) => [key, value?.title]));
    return { id, defects: defect_list, titles, mayWaive: role !== "viewer" };
  }

  draw({ id, defects, titles, mayWaive }) {
    const order = (d) => (d.status === "open" ? 0 : 10) + SEVERITY_ORDER.indexOf(d.severity);
    const sorted = [...defects].sort((a, b) => order(a) - order(b));
    const open = defects.filter((d) => d.status === "open").length;
    this.tail.textContent = open > 0 ? count(open) : "";
    this.element.hidden = defects.length === 0;
    fill(this.body, h("ul", { class: "findings-items" }, sorted.map((defect) => this.#item(id, defect, titles, mayWaive))));
  }

  #item(record, defect, titles, mayWaive) {
    const severity = severityOf(defect.severity);
    const where = defect.photo ? `Photo ${defect.photo}` : own(titles, fieldName(defect.field ?? "")) ?? "";
    const open = defect.status === "open";
    const waive = open && mayWaive ? h("button", { type: "button", class: "quiet", onClick: () => this.#ask(record, defect) }, "Waive…") : null;
    return h("li", { "data-status": defect.status, "data-tone": severity.tone },
      h("div", { class: "top" }, pill(severity), where ? foreign(where, { class: "where", limit: 120 }) : null,
        open ? null : h("span", { class: "faint" }, humanize(defect.status)), time(defect.at), waive),
      h("p", {}, foreign(defect.message, { limit: 600 })),
      open ? null : closing(defect));
  }

  #ask(record, defect) {
    this.#dialog = askWords(this.element, {
      title: "Let this finding stand?",
      words: [
        h("p", {}, foreign(defect.message, { limit: 600 })),
        defect.severity === "blocker" ? h("p", { class: "faint" }, "With its last open blocker waived, the record goes on to the portal.") : null,
      ],
      label: "Reason, kept with the finding and your name",
      placeholder: "Why may it stand as it is?",
      submit: "Waive",
      leave: "Leave it open",
      send: (reason) => this.#waive(record, defect, reason),
    });
  }

  async #waive(record, defect, reason) {
    try {
      await this.api.send("POST", `/api/records/${encodeURIComponent(record)}/defects/${encodeURIComponent(defect.id)}/waive`, { reason });
      this.onChange(null);
      return null;
    } catch (problem) {
      if (problem.status === 409) this.onChange(null);
      return problem.status === 403 ? "Not waived: your role in this project does not allow it." : `Not waived: ${visible(problem.message, 300)}`;
    }
  }
}

function closing(defect) {
  return h("p", { class: "faint" }, icon("check"), " ", foreign(personOf(defect.by), { limit: 120 }), ": ", foreign(defect.reason ?? "", { limit: 500 }),
    defect.closed_at ? h("span", { title: exact(defect.closed_at) }, " · ", time(defect.closed_at)) : null);
}
