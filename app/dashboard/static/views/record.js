// The page of one record: it outlives every job of it, and its address can be kept and sent.

import "../elements/automation-status-badge.js";
import "../elements/record-detail.js";
import { fill, foreign, h, pill } from "../dom.js";
import { projectOf, rolesOf } from "../projects.js";
import { reviewOf } from "../words.js";

export const title = "Record";

export function mount(root, page) {
  const heading = h("h1", {}, "Record");
  const under = h("p", {});
  const review = h("span", { class: "review-pill" });
  const badge = h("automation-status-badge", { hidden: true });
  const detail = h("record-detail", { record: page.params.record_id, whole: true, "role-in-project": "viewer" });
  detail.roles = rolesOf(page.me);
  let named = "";
  let reviewed = "";

  const showName = (record) => {
    const name = record.asset_key || record.external_ref;
    const key = JSON.stringify([name, record.form_title, record.external_ref, record.project]);
    if (named === key) return;
    named = key;
    page.follow(record.project);
    page.setTitle(name);
    const project = projectOf(page.me, record.project);
    fill(heading, foreign(name, { limit: 120 }));
    fill(under, foreign(record.form_title, { limit: 80 }), " · ", foreign(record.external_ref, { class: "mono", limit: 80 }),
      " · ", foreign(project?.name ?? record.project, { limit: 80 }));
  };

  detail.addEventListener("record-shown", ({ detail: { record, job } }) => {
    badge.job = job;
    badge.hidden = !job;
    if (reviewed !== record.review.state) fill(review, pill(reviewOf((reviewed = record.review.state))));
    showName(record);
  });
  detail.addEventListener("record-failed", ({ detail: { gone } }) => {
    if (!gone) return; // what is shown stays, and the notice says why it may be old
    named = reviewed = "";
    badge.hidden = true;
    fill(review);
    fill(under);
    fill(heading, "No record here");
    page.setTitle("No record here");
  });
  root.append(h("div", { class: "title record-title" }, heading, under, h("div", { class: "badges" }, review, badge)), detail);
}
