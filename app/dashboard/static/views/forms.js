// Forms: the numbers on top, the list, and the record that `?record=` names in its dialog.

import "../elements/form-detail-modal.js";
import "../elements/form-review-table.js";
import "../elements/form-stats-cards.js";
import { plural } from "../core.js";
import { fill, h } from "../dom.js";

export const title = "Forms";

export function mount(root, page) {
  const project = page.project.code;
  const subtitle = h("p", {});
  const stats = h("form-stats-cards", { project });
  const list = h("form-review-table", { project, tabindex: "-1" });
  const detail = h("form-detail-modal", { "role-in-project": page.project.role, "page-prefix": "/records/" });

  const show = (query) => {
    list.setAttribute("state", query.get("state") ?? "");
    list.setAttribute("q", query.get("q") ?? "");
    const record = query.get("record");
    if (record) detail.open(record);
    else detail.close();
  };
  list.addEventListener("filter-change", (event) => {
    page.setQuery(event.detail);
    show(page.query);
  });
  list.addEventListener("record-open", (event) => {
    page.setQuery({ record: event.detail.recordId }, { push: true });
    detail.open(event.detail.recordId);
  });
  detail.addEventListener("record-close", () => page.undoQuery({ record: "" }));
  stats.addEventListener("stats", (event) => {
    list.counts = event.detail.by_state;
    fill(subtitle, `${plural(event.detail.received_today, "record")} received today`);
  });
  const slash = (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.target.closest?.("input, textarea, select, dialog")) return;
    event.preventDefault();
    list.focusSearch();
  };
  document.addEventListener("keydown", slash);

  root.append(h("div", { class: "title" }, h("h1", {}, "Forms"), subtitle), stats, list, detail);
  page.onQuery(show);
  show(page.query);
  return () => document.removeEventListener("keydown", slash);
}
