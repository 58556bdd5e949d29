// The shell of the dashboard: who is signed in, the project, the bar, the notices, and the view that the address names.
// What a view is given, and how one is added: docs/dashboard.md.

import "./elements/automation-status-badge.js";
import "./elements/connection-status.js";
import { apiOf } from "./api.js";
import { clock, count, duration, visible } from "./core.js";
import { fill, h } from "./dom.js";
import { icon, mark } from "./icons.js";
import { ALL, keyOf, projectOf, recall, remember } from "./projects.js";
import { Router } from "./router.js";
import { currentTheme, nextTheme, restoreTheme } from "./theme.js";
import { VIEWS, viewAt } from "./views.js";

const TRIES = 8;
// What Chromium, Firefox and Safari say of a module that could not be fetched; a broken one says something else.
const UNREACHED = /dynamically imported module|Importing a module script failed/i;
const api = apiOf();
const at = (id) => document.getElementById(id);
const router = new Router({ knows: (path) => viewAt(path) !== null, arrive });
// `trouble`: words about the shell itself, with what tries it again; null without any.
const shown = { me: null, project: null, key: "", leave: () => {}, listeners: new Set(), notices: "", trouble: null };

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

/** Show what the address names: another view, or other parts of the query of the one that is there. */
async function arrive({ first, back }) {
  const { me } = shown;
  const project = projectOf(me, router.query.get("project")) ?? shown.project ?? projectOf(me, recall()) ?? me.projects[0] ?? null;
  const found = viewAt(location.pathname);
  const key = JSON.stringify([found?.view.path, found?.params, project && keyOf(project)]);
  shown.project = project;
  if (project) remember(keyOf(project));
  at("project").value = project ? keyOf(project) : "";
  showNav(found?.view);
  if (key === shown.key) {
    for (const listen of shown.listeners) listen(router.query);
    if (back) router.settle({ back });
    return;
  }
  shown.key = key;
  say();
  clear();
  follow(project?.code);
  const root = h("div", { class: "view" });
  at("view").replaceChildren(root);
  if (!project) showNothing(root, "No project yet", "You are not a member of any project. Ask an administrator to add you.");
  else if (!found) showNothing(root, "Nothing here", "This address leads to no page of the dashboard.");
  else await mount(found, root, key);
  if (key !== shown.key) return;
  router.settle({ back });
  if (!first) root.querySelector("h1")?.focus({ preventScroll: true });
}

function clear() {
  shown.listeners.clear();
  const { leave } = shown;
  shown.leave = () => {};
  try {
    leave();
  } catch (problem) {
    reportError(problem); // a view that cannot be left must not keep one from the next
  }
}

async function mount({ view, params }, root, key) {
  try {
    const module = await loaded(view, root, key);
    if (key !== shown.key) return;
    setTitle(module.title);
    shown.leave = module.mount(root, pageFor(params)) ?? (() => {});
    heading(root);
  } catch (problem) {
    reportError(problem);
    if (key !== shown.key) return;
    clear();
    showNothing(root, "This page could not be shown", "The rest of the dashboard works. Trying again may help.",
      h("button", { type: "button", onClick: () => location.reload() }, "Try again"));
  }
}

/** The view's module. A server that is being restarted is waited for; what is broken otherwise is told at once. */
async function loaded(view, root, key) {
  for (let tries = 1; ; tries += 1) {
    try {
      return await view.load();
    } catch (problem) {
      if (key !== shown.key || tries > TRIES || !UNREACHED.test(problem.message)) throw problem;
      fill(root, h("p", { class: "hint" }, "The server cannot be reached. Trying again…"));
      await new Promise((resume) => setTimeout(resume, pause(tries)));
      root.replaceChildren();
    }
  }
}

/** What a view is given. */
const pageFor = (params) => ({
  api,
  me: shown.me,
  project: shown.project,
  params,
  get query() {
    return router.query;
  },
  /** Hear of changes of the query that are not one's own: back, forward, links. */
  onQuery: (listen) => shown.listeners.add(listen),
  setQuery: (changes, how) => router.set(changes, how),
  undoQuery: (changes) => router.undo(changes),
  go: (href) => router.go(href),
  setTitle,
  follow,
});

/** The project whose stream the bar speaks of: the one that the view shows; an empty code is all of them. */
function follow(code) {
  // Without a project there is nothing to be connected to.
  at("connection").hidden = code === undefined;
  if (code === undefined) at("connection").removeAttribute("project");
  else at("connection").setAttribute("project", code);
}

function setTitle(title) {
  document.title = `${visible(title, 80)} · Asbuilt`;
}

function heading(root) {
  root.querySelector("h1")?.setAttribute("tabindex", "-1");
}

function showNothing(root, title, text, ...more) {
  setTitle(title);
  fill(root, h("div", { class: "card nothing" }, icon("alert"), h("h1", {}, title), h("p", {}, text), more));
  heading(root);
}

function showNav(current) {
  const here = current?.within ?? current?.path;
  const open = VIEWS.filter((view) => view.nav && (!view.shows || view.shows(shown.me)));
  fill(at("nav"), open.map((view) => h("a", { href: view.path, "aria-current": view.path === here ? "page" : null }, view.nav)));
}

function showMe(me) {
  shown.me = me;
  fill(at("who"), visible(me.name, 60));
  at("sign-out").hidden = me.kind !== "user";
  const all = me.projects.length > 1 ? [h("option", { value: ALL }, "All projects")] : [];
  fill(at("project"), all, me.projects.map((project) => h("option", { value: project.code }, visible(project.name, 60))));
  at("project").disabled = me.projects.length < 2;
}

function showNotices() {
  const { phase, health, missed, since } = at("connection");
  const lines = shown.trouble ? [["bad", "alert", ...shown.trouble]] : [];
  if (phase === "reconnecting") lines.push(["warn", "alert", `The connection was lost at ${clock(since)}. Reconnecting; what you see is as of then.`]);
  if (missed) {
    const been = missed.missed === 1 ? "1 change was" : `${count(missed.missed)} changes were`;
    lines.push(["good", "check", `Resynchronised after ${duration(missed.away)}: ${been} missed meanwhile and ${missed.missed === 1 ? "is" : "are"} shown now.`]);
  }
  if (phase === "live" && health.progress === "degraded") {
    lines.push(["warn", "wave", "Live progress degraded: steps and percentages are paused. The status of each record is still live."]);
  }
  if (phase === "live" && health.status === "poll") {
    lines.push(["warn", "clock", "Status arrives with a few seconds’ delay: the server is polling its database."]);
  }
  // Said once: a status that is written again is read aloud again.
  const words = JSON.stringify(lines);
  if (words === shown.notices) return;
  shown.notices = words;
  fill(at("notices"), lines.map(([tone, name, text, again]) =>
    h("p", { class: "notice", "data-tone": tone }, icon(name), text, again ? h("button", { type: "button", onClick: again }, "Try again") : null)));
}

function say(...trouble) {
  shown.trouble = trouble.length > 0 ? trouble : null;
  showNotices();
}

/** Only a session that is over is left: whoever gets up from the machine believes what they see. */
async function signOut() {
  try {
    await api.send("DELETE", "/api/session");
  } catch (problem) {
    if (problem.status !== 401) return say(`You are still signed in. ${problem.message}`, signOut);
  }
  return location.replace("/sign-in");
}

/** Another project is another list: filters of the old one go, and a single record is left for the list. */
function choose(event) {
  remember(event.target.value, { chosen: true });
  const { view } = viewAt(location.pathname) ?? {};
  router.go(`${view?.within ?? location.pathname}?project=${encodeURIComponent(event.target.value)}`);
}

async function start() {
  if ("signedOut" in document.documentElement.dataset) return toSignIn();
  api.addEventListener("unauthorised", toSignIn);
  api.addEventListener("somebody-else", () => location.reload()); // what is shown, and may be done, is not theirs
  at("theme").addEventListener("click", () => showTheme(nextTheme()));
  at("sign-out").addEventListener("click", signOut);
  at("project").addEventListener("change", choose);
  at("connection").addEventListener("change", showNotices);
  enter();
}

/** Ask who is signed in, until a server that cannot say so now does. */
async function enter(tries = 1) {
  try {
    showMe(await api.me());
  } catch (problem) {
    if (problem.status === 401) return;
    say(problem.passing ? `${problem.message} Trying again…` : problem.message, () => location.reload());
    if (problem.passing) setTimeout(enter, pause(tries), tries + 1);
    return;
  }
  say();
  router.start();
}

/** Milliseconds until it is tried again: longer each time, and not for everybody at once. */
const pause = (tries) => Math.min(8000, 250 * 2 ** tries) * (0.5 + Math.random() / 2);

start();
