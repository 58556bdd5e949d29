// A close-out, section by section: fields that save themselves, photos, read-back, and the one send request.
import { listbox } from "./listbox.js";
import { addPhotos, tile } from "./photos.js";
import { api, banner, el, look, main } from "./page.js";

const SECTIONS = ["site", "plant", "photos", "finish"];
const TITLES = { site: "Where and when", plant: "What was built", photos: "Photos", finish: "Check and send" };
const AREAS = ["North", "South", "Harbor", "Valley"];
const FIELDS = {
  site: [
    ["ticket", "Job ticket", "WO-12345"], ["reference", "Your reference", "your own number"], ["area", "Service area", "", "list"],
    ["finished", "Finished on", "YYYY-MM-DD"], ["lead", "Crew lead", "name"],
  ],
  plant: [
    ["enclosure", "Enclosure", "model"], ["fibers", "Fibers", "how many"], ["loss", "Worst splice, dB", "0.00"],
    ["splices", "Splice table", "one splice a line", "long"], ["lat", "Latitude", "decimal degrees"],
    ["lon", "Longitude", "decimal degrees"], ["remarks", "Remarks", "anything we should know", "long"],
  ],
};
const AUTOSAVE_MS = 600;

const label = (key, words) => (key === "ticket" && look.drift.includes("label") ? "Ticket number" : words);
const drifted = (before, after) => (look.drift.includes("button") ? after : before);

/** Draw one section. */
export async function closeoutView(id, section) {
  const answer = await api("GET", `closeouts/${encodeURIComponent(id)}`);
  if (!answer.ok) return answer.status === 404 ? main(el("h1", {}, "Not on your desk"), toDesk()) : undefined;
  const closeout = answer.body;
  if (section === "photos") return photosView(closeout);
  if (section === "finish") return finishView(closeout);
  return fieldsView(closeout, section === "plant" ? "plant" : "site");
}

const toDesk = () => el("p", {}, el("a", { href: "#/desk" }, "Back to your desk"));

function draw(closeout, section, ...children) {
  const here = SECTIONS.indexOf(section);
  const dots = SECTIONS.map((name, n) => el("li", { class: n < here ? "past" : n === here ? "here" : "" }, TITLES[name]));
  main(el("ol", { class: "dots" }, ...dots), el("h1", {}, TITLES[section]), el("p", { class: "lead" }, `Close-out ${closeout.id}`), ...children);
}

function problems(found) {
  document.querySelector(".problems")?.remove();
  for (const row of document.querySelectorAll(".field.bad")) row.classList.remove("bad");
  if (!found.length) return;
  const items = found.map((problem) => {
    const control = document.querySelector(`[data-field="${problem.field}"]`);
    control?.classList.add("bad");
    return el("li", { "data-for": problem.field }, `${control?.dataset.label ?? "Photos"}: ${problem.message}`);
  });
  document.querySelector(".lead").after(el("ul", { class: "problems", role: "alert" }, ...items));
}

function steps(closeout, section, onNext) {
  const here = SECTIONS.indexOf(section);
  const next = el("button", { class: "go", type: "button" }, drifted("Next", "Continue"));
  next.addEventListener("click", async () => {
    next.disabled = true;
    const saved = await onNext();
    next.disabled = false;
    if (!saved.ok) return;
    problems(saved.body.problems);
    if (!saved.body.problems.length) location.hash = `#/closeout/${closeout.id}/${SECTIONS[here + 1]}`;
  });
  return el("div", { class: "actions" }, here ? goBack(closeout, here) : null, next);
}

function goBack(closeout, here) {
  const back = el("button", { class: "back", type: "button" }, "Back");
  back.addEventListener("click", () => { location.hash = `#/closeout/${closeout.id}/${SECTIONS[here - 1]}`; });
  return back;
}

function fieldsView(closeout, section) {
  const values = {};
  const said = el("p", { id: "saved", role: "status" });
  let timer = 0;
  let line = Promise.resolve();
  // One after another: an older save that arrives last would undo a newer one.
  const save = (named) => {
    clearTimeout(timer);
    const sent = { ...values };
    const body = named ? { values: sent, section } : { values: sent };
    line = line.then(() => api("PATCH", `closeouts/${closeout.id}`, body, { quiet: !named }));
    return line;
  };
  const note = (key, value) => {
    values[key] = value;
    said.textContent = "";
    clearTimeout(timer);
    timer = setTimeout(async () => { if (said.isConnected && (await save(false)).ok) said.textContent = "Saved"; }, AUTOSAVE_MS);
  };
  const rows = FIELDS[section].map(([key, words, hint, kind]) => {
    values[key] = closeout.values[key] ?? "";
    const name = label(key, words);
    return el("div", { class: "field", "data-field": key, "data-label": name }, control(key, name, hint, kind, values[key], note));
  });
  if (look.drift.includes("label") && section === "site") rows.push(rows.shift());
  draw(closeout, section, ...rows, said, steps(closeout, section, () => save(true)));
}

function control(key, name, hint, kind, value, note) {
  if (kind === "list") return listbox(name, AREAS, value, (chosen) => note(key, chosen));
  const made = el(kind === "long" ? "textarea" : "input", { "aria-label": name, placeholder: hint ? `${name} (${hint})` : name, autocomplete: "off" });
  made.value = value;
  made.addEventListener("input", () => note(key, made.value));
  return made;
}

function photosView(closeout) {
  const chooser = el("input", { type: "file", multiple: true, accept: "image/jpeg,image/png", "aria-label": "Add photos" });
  const tiles = el("ul", { class: "tiles" }, ...closeout.photos.map(tile));
  chooser.addEventListener("change", () => {
    const files = [...chooser.files];
    chooser.value = "";
    addPhotos(closeout.id, files, tiles);
  });
  const hint = el("p", { class: "hint" }, "JPEG or PNG. They are sent as soon as you choose them.");
  draw(closeout, "photos", chooser, hint, tiles, steps(closeout, "photos", () =>
    api("PATCH", `closeouts/${closeout.id}`, { values: {}, section: "photos" })));
}

function finishView(closeout) {
  const fields = [...FIELDS.site, ...FIELDS.plant];
  const facts = fields.flatMap(([key, words]) => [el("dt", {}, label(key, words)), el("dd", { "data-key": key }, closeout.values[key] ?? "")]);
  const count = el("p", {}, "Photos: ", el("b", { "data-count": "photos" }, String(closeout.photos.length)));
  const open = el("button", { class: "go", type: "button" }, drifted("Send close-out", "File close-out"));
  const ask = el("dialog", { "aria-label": "Send close-out?" });
  const keep = el("button", { class: "back", type: "button" }, "Keep editing");
  const yes = el("button", { class: "go", type: "button" }, "Yes, send it");
  ask.append(el("h1", {}, "Send close-out?"), el("p", {}, "It leaves your desk and cannot be changed any more."), el("div", { class: "actions" }, keep, yes));
  open.addEventListener("click", () => ask.showModal());
  keep.addEventListener("click", () => ask.close());
  yes.addEventListener("click", () => {
    if (look.drift.includes("dialog") && !confirm("Really send this close-out now?")) return;
    yes.disabled = true;
    ask.close();
    open.disabled = true;
    send(closeout);
  });
  const back = goBack(closeout, SECTIONS.indexOf("finish"));
  draw(closeout, "finish", el("dl", {}, ...facts), count, el("div", { class: "actions" }, back, open), ask);
}

async function send(closeout) {
  const answer = await api("POST", `closeouts/${closeout.id}/send`, undefined, { quiet: true });
  if (answer.ok) {
    history.replaceState(null, "", `#/closeout/${closeout.id}/sent`);
    const number = el("output", { "aria-label": "Receipt number", "data-receipt": closeout.id }, answer.body.number);
    return main(el("div", { class: "sent" }, el("h1", {}, "Sent. Thank you."), el("p", { class: "lead" }, "Write this number down; we show it only once."), number, toDesk()));
  }
  if (answer.status === 401) return undefined;
  const known = answer.status >= 400 && answer.status < 500;
  return known ? banner(answer.body.code, answer.body.message) : banner("unsure", "We could not confirm that your close-out arrived.");
}
