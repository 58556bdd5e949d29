// The dashboard page: who is signed in, the project, filters and the open record in the address, and the notices.
// The elements do the rest, and know nothing of this page.

import "./elements/automation-status-badge.js";
import "./elements/connection-status.js";
import "./elements/form-detail-modal.js";
import "./elements/form-review-table.js";
import "./elements/form-stats-cards.js";
import { apiOf } from "./api.js";
import { plural, visible } from "./core.js";
import { fill, h } from "./dom.js";
import { icon, mark } from "./icons.js";
import { currentTheme, nextTheme, restoreTheme } from "./theme.js";

const api = apiOf();
const at = (id) => document.getElementById(id);
const page = { me: null, project: null };

restoreTheme();
at("brand").prepend(mark());
at("sign-out").prepend(icon("out"));
showTheme(currentTheme());

function toSignIn() {
  const here = location.pathname + location.search;
  location.replace(here === "/" ? "/sign-in" : `/sign-in?next=${encodeURIComponent(here)}`);
}

function showTheme(theme) {
  const names = { system: "Theme: as the system", light: "Theme: light", dark: "Theme: dark" };
  fill(at("theme"), icon({ system: "system", light: "sun", dark: "moon" }[theme]), h("span", { class: "visually-hidden" }, names[theme]));
  at("theme").title = names[theme];
}

/** The address is the state of the page: project, filter, search, open record. */
function readAddress() {
  const query = new URLSearchParams(location.search);
  const wanted = query.get("project") ?? remembered();
  page.project = page.me.projects.find((project) => project.code === wanted) ?? page.me.projects[0] ?? null;
  return { state: query.get("state") ?? "", q: query.get("q") ?? "", record: query.get("record") ?? "" };
}

function writeAddress(changes, { push = false } = {}) {
  const url = new URL(location.href);
  for (const [name, value] of Object.entries(changes)) {
    if (value) url.searchParams.set(name, value);
    else url.searchParams.delete(name);
  }
  if (push) history.pushState({ opened: true }, "", url);
  else history.replaceState(history.state, "", url);
}

function remembered() {
  try {
    return localStorage.getItem("asbuilt.project");
  } catch {
    return null;
  }
}

function remember(code) {
  try {
    localStorage.setItem("asbuilt.project", code);
  } catch {
    // The first project is shown next time.
  }
}

function show() {
  const { state, q, record } = readAddress();
  if (!page.project) return showNoProject();
  for (const id of ["connection", "stats", "forms", "detail"]) at(id).setAttribute("project", page.project.code);
  at("project").value = page.project.code;
  at("forms").setAttribute("state", state);
  at("forms").setAttribute("q", q);
  at("detail").setAttribute("role-in-project", page.project.role);
  if (record) at("detail").open(record);
  else at("detail").close();
  document.title = `${visible(page.project.name, 60)} · Asbuilt`;
}

function showNoProject() {
  fill(at("subtitle"), "You are not a member of any project yet. Ask an administrator to add you.");
}

function showMe(me) {
  page.me = me;
  fill(at("who"), visible(me.name, 60));
  at("sign-out").hidden = me.kind !== "user";
  fill(at("project"), me.projects.map((project) => h("option", { value: project.code }, visible(project.name, 60))));
  at("project").disabled = me.projects.length < 2;
}

function showNotices() {
  const { phase, health } = at("connection");
  const lines = [];
  if (phase === "reconnecting") lines.push(["warn", "alert", "The connection was lost. Reconnecting; what you see may be a little old."]);
  if (phase === "live" && health.progress === "degraded") {
    lines.push(["warn", "wave", "Live progress degraded: steps and percentages are paused. The status of each record is still live."]);
  }
  if (phase === "live" && health.status === "poll") {
    lines.push(["warn", "clock", "Status arrives with a few seconds’ delay: the server is polling its database."]);
  }
  fill(at("notices"), lines.map(([tone, name, text]) => h("p", { class: "notice", "data-tone": tone }, icon(name), text)));
}

async function signOut() {
  await api.send("DELETE", "/api/session").catch(() => {});
  location.replace("/sign-in");
}

function listen() {
  api.addEventListener("unauthorised", toSignIn);
  window.addEventListener("popstate", show);
  at("theme").addEventListener("click", () => showTheme(nextTheme()));
  at("sign-out").addEventListener("click", signOut);
  at("project").addEventListener("change", (event) => {
    remember(event.target.value);
    writeAddress({ project: event.target.value, state: "", q: "", record: "" });
    show();
  });
  at("forms").addEventListener("filter-change", (event) => {
    writeAddress(event.detail);
    show();
  });
  at("forms").addEventListener("record-open", (event) => {
    writeAddress({ record: event.detail.recordId }, { push: true });
    at("detail").open(event.detail.recordId);
  });
  at("detail").addEventListener("record-close", () => {
    if (history.state?.opened) history.back();
    else writeAddress({ record: "" });
  });
  at("stats").addEventListener("stats", (event) => {
    at("forms").counts = event.detail.by_state;
    fill(at("subtitle"), `${plural(event.detail.received_today, "record")} received today`);
  });
  at("connection").addEventListener("change", showNotices);
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.target.closest?.("input, textarea, select, dialog")) return;
    event.preventDefault();
    at("forms").focusSearch();
  });
}

async function start() {
  listen();
  try {
    showMe(await api.me());
    show();
  } catch (problem) {
    if (problem.status === 401) return;
    fill(at("notices"), h("p", { class: "notice", "data-tone": "bad" }, icon("alert"), problem.message,
      h("button", { type: "button", onClick: () => location.reload() }, "Try again")));
  }
}

start();
