// Operations: is the work getting done? What waits, who works, how quickly, and what goes wrong.

import { ago, clock, count, duration, exact, plural } from "../core.js";
import { fill, foreign, h, keyed, pill, setAttr, setText, time } from "../dom.js";
import { icon } from "../icons.js";
import { bars, figure, lines } from "../operations/charts.js";
import { frame, scoped, section, Watch } from "../operations/frame.js";
import { keepFocus, redraw } from "../operations/redraw.js";
import { stateOf, STATE_NAMES } from "../states.js";
import { humanize, waitSentence } from "../words.js";

export const title = "Operations";

const WINDOWS = [["hour", "Hour"], ["day", "Day"], ["week", "Week"], ["month", "Month"]];
const WORKER_STATES = {
  alive: { label: "Alive", tone: "good", icon: "check" },
  draining: { label: "Draining", tone: "warn", icon: "clock" },
  lost: { label: "Lost", tone: "bad", icon: "alert" },
};
const WORKERS_MS = 10_000; // that a worker went away is no event of the stream
const CHARTS_MS = 10_000; // a chart of a month need not be drawn for each job
const SLOW_PICKUP_MS = 10_000;

export function mount(root, page) {
  return scoped(root, page, build);
}

function build(root, page) {
  const { body, scope, asOf } = frame(root, page, { heading: h("h1", {}, "Operations"), lead: "Is the work getting done?" });
  const project = scope.project;
  const alarms = h("div", { class: "ops-alarms", role: "status" });
  const figures = h("div", { class: "ops-figures" });
  const backlog = section("Backlog", "");
  const workers = section("Workers", "");
  const charts = h("div", { class: "ops-charts" });
  const windows = h("div", { class: "chips", role: "group", "aria-label": "Time shown" });
  const chartsSection = h("section", { class: "ops-time" }, h("div", { class: "ops-bar" }, h("h2", {}, "Throughput and latency"), windows), charts);
  const parts = [alarms, figures, h("div", { class: "ops-two" }, backlog.element, workers.element), chartsSection];

  const state = new Watch({
    api: page.api, scope, body, asOf, pollMs: WORKERS_MS,
    load: async (signal) => {
      const [waiting, crew, failures] = await Promise.all(["backlog", "workers", "failures"].map((name) =>
        page.api.get(`/api/operations/${name}`, { project }, { signal })));
      return { waiting, crew, failures };
    },
    draw: ({ waiting, crew, failures }) => {
      if (!alarms.isConnected) fill(body, parts);
      alarm(alarms, waiting, crew);
      showFigures(figures, waiting, crew, failures, scope);
      showBacklog(backlog, waiting, scope);
      showWorkers(workers, crew);
    },
  });
  const time = new Watch({
    api: page.api, scope, body: charts, minMs: CHARTS_MS,
    load: (signal) => page.api.get("/api/operations/throughput", { project, window: windowOf(page) }, { signal }),
    draw: (answer) => showCharts(charts, answer),
  });
  const showWindows = () => fill(windows, WINDOWS.map(([name, word]) =>
    h("button", { type: "button", class: "chip", "aria-pressed": String(windowOf(page) === name), onClick: () => {
      page.setQuery({ window: name === "day" ? "" : name });
      showWindows();
      time.read();
    } }, word)));
  showWindows();
  page.onQuery(() => {
    showWindows();
    time.read();
  });
  return () => [state, time].forEach((watch) => watch.close());
}

const windowOf = (page) => (WINDOWS.some(([name]) => name === page.query.get("window")) ? page.query.get("window") : "day");

function alarm(place, waiting, crew) {
  const said = [];
  const waits = waiting.ready > 0 ? ` ${plural(waiting.ready, "job")} ${waiting.ready === 1 ? "waits" : "wait"} for one.` : "";
  const draining = crew.items.filter((worker) => worker.state === "draining").length;
  if (crew.alive === 0) {
    said.push(["bad", "octagon", "No workers", `Nothing is entered into any portal until a worker starts.${waits}${draining > 0 ? ` ${plural(draining, "worker")} still ends its runs.` : ""}`]);
  } else if (waiting.ready > 0 && crew.busy >= crew.places) {
    said.push(["warn", "queue", "The workers cannot take more", `All ${count(crew.places)} places are taken.${waits}`]);
  } else if (waiting.oldest_ready_at && Date.parse(waiting.at) - Date.parse(waiting.oldest_ready_at) > SLOW_PICKUP_MS) {
    said.push(["warn", "clock", "Jobs are not picked up", `A place is free, and yet the oldest job is ready since ${ago(waiting.oldest_ready_at)}.`]);
  }
  redraw(place, said, () => said.map(([tone, name, head, text]) => h("p", { class: "notice", "data-tone": tone }, icon(name), h("span", {}, h("strong", {}, head), " ", text))));
}

function showFigures(place, waiting, crew, failures, scope) {
  const of = (...states) => waiting.items.filter((row) => states.includes(row.state)).reduce((sum, row) => sum + row.jobs, 0);
  const line = waiting.items.filter((row) => row.state === "queued" && row.wait_reason).reduce((sum, row) => sum + row.jobs, 0);
  const items = [
    ["Waiting for a worker", waiting.ready, waiting.oldest_ready_at ? { since: waiting.oldest_ready_at } : "none waits", waiting.ready > 0 ? "warn" : ""],
    ["Running", of("processing"), crew.places > 0 ? `${count(crew.busy)} of ${count(crew.places)} places taken, all projects` : "no places", ""],
    ["In line at a portal", line, { page: "portals", words: "Portals" }, ""],
    ["Waiting for a person", of("needs_input", "held"), { page: "questions", words: plural(of("needs_input"), "question") }, of("needs_input") > 0 ? "warn" : ""],
    ["Failing", failures.jobs, { page: "failures", words: failures.groups > 0 ? `for ${plural(failures.groups, "cause")}` : "Failures" }, failures.jobs > 0 ? "bad" : "good"],
  ];
  const note = ({ since, page, words }) => (since ? ["the oldest since ", time(since)] : h("a", { href: `/operations/${page}${scope.query}` }, words));
  keyed(place, items, {
    key: ([label]) => label,
    create: ([label]) => h("div", { class: "card ops-figure" }, h("span", { class: "label" }, label), h("span", { class: "value" }), h("span", { class: "sub" })),
    update: (card, [, value, sub, tone]) => {
      setAttr(card, "data-tone", tone || null);
      setText(card.children[1], count(value));
      redraw(card.children[2], sub, () => (typeof sub === "string" ? sub : note(sub)));
    },
  });
}

function showBacklog(part, waiting, scope) {
  const order = (row) => STATE_NAMES.indexOf(row.state);
  const rows = [...waiting.items].sort((a, b) => order(a) - order(b) || b.jobs - a.jobs);
  const total = rows.reduce((sum, row) => sum + row.jobs, 0);
  part.say(total > 0 ? plural(total, "live job") : "");
  redraw(part.body, rows.length > 0, () => (rows.length === 0 ? h("p", { class: "faint" }, "Nothing is on its way: every job has ended.")
    : h("div", { class: "scroll wide", tabindex: "0", role: "region", "aria-label": "Backlog" }, h("table", { class: "inner" },
      h("thead", {}, h("tr", {}, ["State", "Waits for", "Jobs", "Oldest"].map((word) => h("th", { scope: "col" }, word)))), h("tbody", {})))));
  const list = part.body.querySelector("tbody");
  if (!list) return;
  const keep = keepFocus(list);
  keyed(list, rows, {
    key: (row) => `${row.state}/${row.wait_reason}`,
    create: ({ state }) => h("tr", {},
      h("td", {}, scope.all ? pill(stateOf(state)) : h("a", { class: "plain", href: `/?state=${state}` }, pill(stateOf(state)))), h("td", {}), h("td", { class: "figure" }), h("td", {})),
    update: ({ cells }, row) => {
      redraw(cells[1], [row.wait_reason, row.due], () => reason(row));
      setText(cells[2], count(row.jobs));
      redraw(cells[3], row.oldest_at, () => time(row.oldest_at));
    },
  });
  keep();
}

function reason(row) {
  if (row.state === "processing") return "Being entered into the portal";
  if (row.state === "queued" && !row.wait_reason) return "Waiting for a worker";
  return [waitSentence(row.wait_reason), row.due > 0 ? ` (${count(row.due)} due now)` : ""];
}

function showWorkers(part, crew) {
  part.say(crew.items.length > 0 ? `${count(crew.alive)} alive` : "");
  if (crew.items.length === 0) return fill(part.body, h("p", { class: "faint" }, "No worker has been seen in the last day."));
  const list = part.body.querySelector(".ops-workers") ?? h("ul", { class: "ops-workers" });
  if (!list.isConnected) fill(part.body, list);
  return keyed(list, crew.items, {
    key: ({ worker, started_at }) => `${worker}/${started_at}`,
    create: () => h("li", {}),
    // When an alive one was seen is not shown, and changes with each beat.
    update: (row, worker) => redraw(row, { ...worker, seen_at: worker.state === "alive" ? "" : worker.seen_at }, () => ofWorker(worker)),
  });
}

function ofWorker(worker) {
  const others = worker.busy - worker.runs.length;
  return [
    h("div", { class: "top" }, foreign(worker.worker, { class: "mono", limit: 80 }), pill(WORKER_STATES[worker.state] ?? { label: humanize(worker.state), tone: "mute", icon: "info" }),
      h("span", { class: "figure faint" }, `${count(worker.busy)} of ${plural(worker.places, "place")}`)),
    h("meter", { min: 0, max: worker.places, value: Math.min(worker.busy, worker.places), "aria-label": `Places of ${worker.worker} that are taken` }),
    h("p", { class: "faint small" }, "Version ", foreign(worker.version, { limit: 40 }), " · started ", time(worker.started_at),
      worker.state === "alive" ? "" : [" · last seen ", time(worker.seen_at)], worker.draining_at ? [" · told to stop ", time(worker.draining_at)] : ""),
    worker.runs.length > 0 || others > 0 ? h("ul", { class: "runs small" },
      worker.runs.map((run) => h("li", {}, h("a", { href: `/records/${encodeURIComponent(run.record_id)}` }, foreign(run.external_ref, { class: "mono", limit: 40 })), ` attempt ${run.attempt}, `, time(run.started_at))),
      others > 0 ? h("li", { class: "faint" }, `and ${count(others)} of other projects`) : null) : null,
  ];
}

function showCharts(place, { items, whole, step_s }) {
  const open = new Set([...place.querySelectorAll("details[open]")].map((details) => details.dataset.chart));
  const when = (piece) => (step_s < 6 * 3600 ? clock(piece.at).slice(0, 5) : exact(piece.at).replace(/, \d{4}.*/, step_s < 86400 ? ` ${clock(piece.at).slice(0, 5)}` : ""));
  const seconds = (value) => (value < 0.05 ? `${Math.round(value * 1000)} ms` : duration(value * 1000));
  const common = (name) => ({ title: name, pieces: items, when, opened: open.has(name) });
  const two = (key) => [
    { label: "half within", tone: "run", value: (piece) => piece[`${key}_p50_s`] },
    { label: "95 of 100 within", tone: "warn", dashed: true, value: (piece) => piece[`${key}_p95_s`] },
  ];
  const span = (key) => (whole[`${key}_p50_s`] === null ? "Nothing yet" : `In all: half within ${seconds(whole[`${key}_p50_s`])}, 95 of 100 within ${seconds(whole[`${key}_p95_s`])}`);
  redraw(place, { items, whole, step_s }, () => [
    figure({ ...common("Attempts that ended"), draw: bars, format: count,
      note: `${count(whole.completed)} completed, ${count(whole.failed)} failed, ${count(whole.lost)} lost with their worker`,
      series: [
        { label: "completed", tone: "good", value: (piece) => piece.completed },
        { label: "failed", tone: "bad", value: (piece) => piece.failed },
        { label: "lost", tone: "warn", value: (piece) => piece.lost },
      ] }),
    figure({ ...common("Records received"), draw: bars, format: count, note: plural(whole.uploads, "record"),
      series: [{ label: "received", tone: "run", value: (piece) => piece.uploads }] }),
    figure({ ...common("Wait for a worker"), draw: lines, format: seconds, note: span("pickup"), series: two("pickup") }),
    figure({ ...common("Time a run takes"), draw: lines, format: seconds, note: span("run"), series: two("run") })]);
}
