// The findings of a record page: what the checks found, and a person's word that it may stand as it is.

import { count, exact, visible } from "../core.js";
import { fill, foreign, h, pill, setText, time } from "../dom.js";
import { icon } from "../icons.js";
import { humanize, severityOf, SEVERITY_ORDER } from "../words.js";
import { fieldName, Section } from "./detail-record.js";

export class FindingsSection extends Section {
  #dialog = null;

  constructor({ api, onChange }) {
    super("Findings", "findings-list");
    this.api = api;
    this.onChange = onChange;
  }

  dispose() {
    this.#dialog?.remove();
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
    const where = defect.photo ? `Photo ${defect.photo}` : titles[fieldName(defect.field ?? "")] ?? "";
    const open = defect.status === "open";
    const waive = open && mayWaive ? h("button", { type: "button", class: "quiet", onClick: () => this.#ask(record, defect) }, "Waive…") : null;
    return h("li", { "data-status": defect.status, "data-tone": severity.tone },
      h("div", { class: "top" }, pill(severity), where ? foreign(where, { class: "where", limit: 120 }) : null,
        open ? null : h("span", { class: "faint" }, humanize(defect.status)), time(defect.at), waive),
      h("p", {}, foreign(defect.message, { limit: 600 })),
      open ? null : closing(defect));
  }

  #ask(record, defect) {
    this.#dialog?.remove();
    const reason = h("input", { name: "reason", required: true, minlength: 3, maxlength: 500, autocomplete: "off", placeholder: "Why may it stand as it is?" });
    const answer = h("p", { class: "answer", role: "alert", hidden: true });
    const submit = h("button", { type: "submit", class: "primary" }, "Waive");
    const dialog = (this.#dialog = h("dialog", { class: "waive", "aria-labelledby": "waive-title" },
      h("form", { class: "retry", onSubmit: (event) => this.#waive(event, record, defect, { reason, answer, submit }) },
        h("h2", { id: "waive-title" }, "Let this finding stand?"),
        h("p", {}, foreign(defect.message, { limit: 600 })),
        defect.severity === "blocker" ? h("p", { class: "faint" }, "With its last open blocker waived, the record goes on to the portal.") : null,
        h("label", {}, h("span", {}, "Reason, kept with the finding and your name"), reason),
        h("div", { class: "acts" }, submit, h("button", { type: "button", onClick: () => dialog.close() }, "Leave it open"), answer))));
    dialog.addEventListener("close", () => dialog.remove());
    this.element.append(dialog);
    dialog.showModal();
    reason.focus();
  }

  async #waive(event, record, defect, { reason, answer, submit }) {
    event.preventDefault();
    submit.disabled = true;
    answer.hidden = true;
    try {
      await this.api.send("POST", `/api/records/${encodeURIComponent(record)}/defects/${encodeURIComponent(defect.id)}/waive`, { reason: reason.value.trim() });
      this.#dialog.close();
      this.onChange(null);
    } catch (problem) {
      answer.hidden = false;
      setText(answer, problem.status === 403 ? "Not waived: your role in this project does not allow it." : `Not waived: ${visible(problem.message, 300)}`);
      if (problem.status === 409) this.onChange(null);
    } finally {
      submit.disabled = false;
    }
  }
}

function closing(defect) {
  const who = (defect.by ?? "").replace(/^(user|device):/, "");
  return h("p", { class: "faint" }, icon("check"), " ", foreign(who, { limit: 120 }), ": ", foreign(defect.reason ?? "", { limit: 500 }),
    defect.closed_at ? h("span", { title: exact(defect.closed_at) }, " · ", time(defect.closed_at)) : null);
}
