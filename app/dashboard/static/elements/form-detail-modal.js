// <form-detail-modal>: one record with everything about it, in a native <dialog>, live while it is open.
// `open(recordId)` and `close()`; tells `record-close`. With `page-prefix` it links to the record's own page.

import "./automation-status-badge.js";
import "./record-detail.js";
import { fill, foreign, h, setAttr } from "../dom.js";
import { icon } from "../icons.js";

const PASSED_ON = ["base", "token", "role-in-project"];

class FormDetailModal extends HTMLElement {
  static observedAttributes = PASSED_ON;
  #parts = null;
  #roles = {};

  connectedCallback() {
    this.#parts ??= this.#build();
  }

  disconnectedCallback() {
    this.#parts.detail.removeAttribute("record");
  }

  attributeChangedCallback(name, _before, after) {
    if (this.#parts) setAttr(this.#parts.detail, name, after);
  }

  open(recordId) {
    const { dialog, detail } = this.#parts;
    if (detail.getAttribute("record") === recordId && dialog.open) return;
    this.#clear();
    setAttr(this.#parts.page, "href", this.hasAttribute("page-prefix") ? this.getAttribute("page-prefix") + encodeURIComponent(recordId) : null);
    this.#parts.page.hidden = !this.hasAttribute("page-prefix");
    if (!dialog.open) dialog.showModal();
    detail.setAttribute("record", recordId);
  }

  /** The viewer's roles by project. */
  set roles(roles) {
    this.#roles = roles;
    if (this.#parts) this.#parts.detail.roles = roles;
  }

  close() {
    if (this.#parts?.dialog.open) this.#parts.dialog.close("quiet");
  }

  #build() {
    const parts = {
      title: h("h2", { id: "detail-title", tabindex: "-1", autofocus: true }, "Record"),
      under: h("p", { class: "under" }),
      badge: h("automation-status-badge"),
      detail: h("record-detail"),
      page: h("a", { class: "button quiet" }, icon("arrow"), h("span", {}, "Open as a page")),
    };
    for (const name of PASSED_ON) setAttr(parts.detail, name, this.getAttribute(name));
    parts.detail.roles = this.#roles;
    const close = h("button", { type: "button", class: "quiet square", onClick: () => parts.dialog.close() },
      icon("close"), h("span", { class: "visually-hidden" }, "Close"));
    const head = h("header", {}, h("div", { class: "names" }, parts.title, parts.under), parts.badge, parts.page, close);
    parts.dialog = h("dialog", { class: "detail", "aria-labelledby": "detail-title" }, head, parts.detail);
    parts.dialog.addEventListener("close", () => this.#closed());
    parts.dialog.addEventListener("click", (event) => {
      if (event.target === parts.dialog) parts.dialog.close();
    });
    parts.detail.addEventListener("record-shown", ({ detail }) => this.#showHead(detail));
    parts.detail.addEventListener("record-failed", () => {
      if (!parts.title.dataset.key) fill(parts.title, "Record");
    });
    this.append(parts.dialog);
    return parts;
  }

  #closed() {
    const quiet = this.#parts.dialog.returnValue === "quiet";
    this.#parts.dialog.returnValue = "";
    this.#parts.detail.removeAttribute("record");
    if (!quiet) this.dispatchEvent(new CustomEvent("record-close", { bubbles: true }));
  }

  #clear() {
    fill(this.#parts.title, "Loading…");
    delete this.#parts.title.dataset.key;
    fill(this.#parts.under);
    this.#parts.badge.job = null;
  }

  #showHead({ record, job }) {
    const { title, under, badge } = this.#parts;
    const key = JSON.stringify([record.asset_key, record.form_title, record.external_ref]);
    badge.job = job;
    if (title.dataset.key === key) return;
    title.dataset.key = key;
    fill(title, foreign(record.asset_key || record.external_ref, { limit: 120 }));
    fill(under, foreign(record.form_title, { limit: 80 }), foreign(record.external_ref, { class: "mono", limit: 80 }));
  }
}

customElements.define("form-detail-modal", FormDetailModal);
