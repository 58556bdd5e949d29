// One row of the review table: made once, then only the texts that changed are touched.

import "../automation-status-badge.js";
import { plural, visible } from "../../core.js";
import { h, keyed, setAttr, setForeign, setText, setTime } from "../../dom.js";
import { icon } from "../../icons.js";
import { reviewLabel, severityOf, SEVERITY_ORDER } from "../../words.js";

const partsOf = new WeakMap();
const cell = (name, ...children) => h("td", { role: "cell", class: `c-${name}` }, children);

/** `selectable`: the row begins with a box to choose it by. */
export function createRow(row, selectable) {
  const parts = {
    asset: h("bdi", { class: "asset" }),
    form: h("bdi", {}),
    ref: h("bdi", { class: "mono" }),
    crew: h("bdi", { class: "crew" }),
    device: h("bdi", { class: "faint" }),
    photos: h("span", {}),
    findings: h("span", { class: "findings" }),
    review: h("span", { class: "faint" }),
    project: h("bdi", { class: "tag" }),
    badge: h("automation-status-badge", { detailed: true }),
    received: h("time"),
  };
  parts.photosBox = h("span", { class: "tally" }, icon("camera"), parts.photos);
  const link = h("a", { href: `?record=${encodeURIComponent(row.id)}`, tabindex: "-1", class: "open" }, parts.asset);
  if (selectable) parts.box = h("input", { type: "checkbox", tabindex: "-1" });
  const element = h("tr", { role: "row", tabindex: "0", "data-id": row.id },
    selectable && cell("select", h("label", { class: "tick" }, parts.box)),
    cell("record", link, h("span", { class: "under" }, parts.project, parts.form, parts.ref)),
    cell("crew", parts.crew, parts.device),
    cell("photos", parts.photosBox),
    cell("findings", parts.findings, parts.review),
    cell("automation", parts.badge),
    cell("received", parts.received));
  partsOf.set(element, parts);
  return element;
}

/** `mixed`: the list holds records of several projects, so each says of which it is. `selected`: its box is ticked. */
export function updateRow(element, row, job, { mixed, selected }) {
  const parts = partsOf.get(element);
  if (parts.box) {
    setAttr(parts.box, "aria-label", `Select ${visible(row.asset_key || row.external_ref, 60)}`);
    parts.box.checked = selected;
    setAttr(element, "data-selected", selected ? "" : null);
  }
  // Most rows of a refreshed list are as they were: five hundred of them drawn anew would keep the page from answering.
  if (parts.row === row && parts.badge.job === job && parts.project.hidden === !mixed) return;
  parts.row = row;
  parts.project.hidden = !mixed;
  setForeign(parts.project, row.project, 40);
  setForeign(parts.asset, row.asset_key || row.external_ref, 120);
  setForeign(parts.form, row.form_title, 80);
  setForeign(parts.ref, row.external_ref, 60);
  setForeign(parts.crew, row.crew || "–", 60);
  setForeign(parts.device, row.device, 60);
  setText(parts.photos, `${row.photos.received}/${row.photos.expected}`);
  setAttr(parts.photosBox, "title", `${row.photos.received} of ${plural(row.photos.expected, "photo")} received`);
  setAttr(parts.photosBox, "data-tone", row.photos.received < row.photos.expected ? "warn" : null);
  showFindings(parts.findings, row.defects);
  setText(parts.review, row.review_state === "received" ? "" : reviewLabel(row.review_state));
  setTime(parts.received, row.received_at);
  flash(element, parts.badge.job, job);
  parts.badge.job = job;
}

function showFindings(parent, defects) {
  const open = SEVERITY_ORDER.filter((severity) => defects[severity] > 0);
  keyed(parent, open.length > 0 ? open : ["none"], {
    key: (severity) => severity,
    create: (severity) => {
      if (severity === "none") return h("span", { class: "faint" }, "None");
      const { label, tone, icon: name } = severityOf(severity);
      return h("span", { class: "tally", "data-tone": tone, title: `${label} findings` }, icon(name), h("span", { class: "n" }),
        h("span", { class: "visually-hidden" }, ` ${label}`));
    },
    update: (node, severity) => {
      if (severity !== "none") setText(node.querySelector(".n"), String(defects[severity]));
    },
  });
}

const stillness = matchMedia("(prefers-reduced-motion: reduce)");

// A short tint where the state changed, so that the eye finds it. Not a CSS class: restarting one costs a layout a row.
function flash(element, before, after) {
  if (!before || !after || before.state === after.state || stillness.matches) return;
  element.animate([{ background: "var(--run-bg)" }, { background: "transparent" }], { duration: 1600, easing: "ease-out" });
}
