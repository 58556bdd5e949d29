// Forms: the numbers on top, the list, and the record that `?record=` names in its dialog.

import "../elements/form-detail-modal.js";
import "../elements/form-review-table.js";
import "../elements/form-stats-cards.js";
import { plural } from "../core.js";
import { fill, h } from "../dom.js";
import { FILTER_PARTS } from "../filters.js";
import { icon } from "../icons.js";
import { keyHelp, singleKeys } from "../keys.js";
import { rolesOf } from "../projects.js";

export const title = "Forms";

const KEYS = [
  [["/"], "Search"],
  [["j", "↓"], "Next record"],
  [["k", "↑"], "Record before"],
  [["Enter"], "Open the record"],
  [["Space"], "Select the record; with Shift all up to it"],
  [["Esc"], "Close what is open; select none"],
  [["?"], "This list"],
];

/** What somebody may do with chosen records; the API decides again, record by record. */
function actsOf({ me, project }) {
  const roles = project.code ? [project.role] : me.projects.map((each) => each.role);
  const operates = roles.some((role) => role === "operator" || role === "admin");
  if (operates) return ["retry", "hold", "release", "cancel"];
  return roles.includes("reviewer") ? ["retry", "cancel"] : [];
}

export function mount(root, page) {
  const project = page.project.code;
  const subtitle = h("p", {});
  const stats = h("form-stats-cards", { project });
  const list = h("form-review-table", { project, tabindex: "-1", acts: actsOf(page).join(" ") });
  const detail = h("form-detail-modal", { "role-in-project": "viewer", "page-prefix": "/records/" });
  detail.roles = rolesOf(page.me);

  const show = (query) => {
    for (const name of FILTER_PARTS) list.setAttribute(name, query.get(name) ?? "");
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
  const keys = keyHelp(KEYS);
  const pressed = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest?.("input:not([type=checkbox]), textarea, select, dialog")) return;
    if (event.key.length === 1 && !singleKeys()) return;
    if (event.key === "/") list.focusSearch();
    else if (event.key === "?") keys.showModal();
    else if (event.key === "j" || event.key === "k") list.step(event.key === "j" ? 1 : -1);
    else if (event.key === "Escape") return list.chooseNone(); // It also closes what the browser has open.
    else return;
    event.preventDefault();
  };
  document.addEventListener("keydown", pressed);

  root.append(h("div", { class: "title" }, h("h1", {}, "Forms"), subtitle,
    h("button", { type: "button", class: "quiet square keys-button", title: "Keyboard shortcuts (?)", onClick: () => keys.showModal() },
      icon("keyboard"), h("span", { class: "visually-hidden" }, "Keyboard shortcuts"))), stats, list, detail, keys);
  page.onQuery(show);
  show(page.query);
  return () => document.removeEventListener("keydown", pressed);
}
