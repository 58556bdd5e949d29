// The page of one record: it outlives every job of it, and its address can be kept and sent.

import "../elements/automation-status-badge.js";
import "../elements/record-detail.js";
import { fill, foreign, h } from "../dom.js";
import { projectOf } from "../projects.js";

export const title = "Record";

export function mount(root, page) {
  const heading = h("h1", {}, "Record");
  const under = h("p", {});
  const badge = h("automation-status-badge", { hidden: true });
  const detail = h("record-detail", { record: page.params.record_id });
  let named = "";

  detail.addEventListener("record-shown", ({ detail: { record, job } }) => {
    badge.job = job;
    badge.hidden = !job;
    const name = record.asset_key || record.external_ref;
    const key = JSON.stringify([name, record.form_title, record.external_ref]);
    if (named === key) return;
    named = key;
    page.follow(record.project);
    page.setTitle(name);
    detail.setAttribute("role-in-project", projectOf(page.me, record.project)?.role ?? "viewer");
    fill(heading, foreign(name, { limit: 120 }));
    fill(under, foreign(record.form_title, { limit: 80 }), " ", foreign(record.external_ref, { class: "mono", limit: 80 }));
  });
  root.append(h("div", { class: "title" }, heading, under, badge), detail);
}
