// The photos of a record by their slot, and the lightbox that photos and screenshots open in.

import { bytes, exact, plural, safeUrl, visible } from "../../core.js";
import { fill, foreign, h, keyed, setText } from "../../dom.js";
import { icon } from "../../icons.js";
import { humanize, severityOf, SEVERITY_ORDER } from "../../words.js";
import { Picture } from "./picture.js";

const withWidth = (url, width) => (url ? `${url}${url.includes("?") ? "&" : "?"}w=${width}` : null);

/** A dialog of its own above the record: arrows step through, Esc closes. */
export function openLightbox({ api, items, start = 0 }) {
  let at = start;
  const picture = new Picture({ api, alt: "", className: "large" });
  const title = h("bdi", { class: "caption" });
  const place = h("span", { class: "faint" });
  const notes = h("ul", { class: "picture-notes", hidden: true });
  const save = h("a", { class: "button", hidden: true }, icon("down"), "Original");
  const show = (step) => {
    at = (at + step + items.length) % items.length;
    const item = items[at];
    picture.alt = item.title;
    picture.show(item.large);
    setText(title, item.title);
    notes.hidden = !item.notes?.length;
    fill(notes, (item.notes ?? []).map(findingLine));
    setText(place, items.length > 1 ? `${at + 1} of ${items.length}` : "");
    const original = item.original && !api.token ? safeUrl(item.original, { base: api.origin, origin: api.origin }) : null;
    save.hidden = !original;
    if (original) save.href = original;
  };
  const button = (name, label, act, props = {}) =>
    h("button", { type: "button", class: "quiet square", onClick: act, ...props }, icon(name), h("span", { class: "visually-hidden" }, label));
  const many = items.length > 1;
  const dialog = h("dialog", { class: "lightbox", "aria-label": "Picture" },
    h("header", {}, title, place, save, button("close", "Close", () => dialog.close())),
    notes,
    h("div", { class: "stage" },
      many ? button("chevron", "Previous", () => show(-1), { class: "quiet square back" }) : null,
      picture.element,
      many ? button("chevron", "Next", () => show(1)) : null));
  const room = h("div", { class: "asbuilt" }, dialog); // of our styles: outside of the element it would have the page's
  dialog.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (step && many) show(step);
  });
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
  dialog.addEventListener("close", (event) => {
    event.stopPropagation();
    gone.abort();
    room.remove();
  });
  const gone = new AbortController();
  addEventListener("popstate", () => dialog.close(), { signal: gone.signal }); // Back leads away from what it shows
  document.body.append(room);
  show(0);
  dialog.showModal();
}

/** A finding in a line: its weight as icon and word, and what it says. */
const findingLine = (defect) => {
  const { tone, icon: name, label } = severityOf(defect.severity);
  return h("li", { "data-tone": tone }, icon(name), h("span", {}, h("b", {}, `${label}: `), foreign(defect.message, { limit: 300 })));
};

export class PhotosSection {
  #thumbs = new Map();
  #findings = new Map();

  constructor({ api }) {
    this.api = api;
    this.grid = h("ul", { class: "photos" });
    this.tail = h("span", { class: "count" });
    this.empty = h("p", { class: "faint", hidden: true }, "This record has no photos.");
    this.element = h("section", { class: "section", "aria-label": "Photos" }, h("h3", {}, "Photos", this.tail), this.grid, this.empty);
  }

  update(record) {
    const labels = new Map(record.form.shots.map((shot) => [shot.key, shot.label]));
    const order = new Map(record.form.shots.map((shot, index) => [shot.key, index]));
    const photos = [...record.photo_list].sort((a, b) => (order.get(a.shot_key) ?? 99) - (order.get(b.shot_key) ?? 99));
    setText(this.tail, record.photos.expected > 0 ? `${record.photos.received} of ${record.photos.expected}` : "");
    this.empty.hidden = photos.length > 0;
    this.#findings = new Map();
    const weight = (defect) => SEVERITY_ORDER.indexOf(defect.severity);
    for (const defect of [...record.defect_list].sort((a, b) => weight(a) - weight(b))) {
      if (defect.photo && defect.status === "open") this.#findings.set(defect.photo, [...(this.#findings.get(defect.photo) ?? []), defect]);
    }
    keyed(this.grid, photos, {
      key: (photo) => photo.id,
      create: (photo) => this.#create(photo),
      update: (_, photo) => this.#update(photo, labels.get(photo.shot_key) ?? humanize(photo.shot_key), photos, labels),
    });
  }

  #create(photo) {
    const picture = new Picture({ api: this.api, alt: "" });
    const label = h("bdi", { class: "shot" });
    const note = h("span", { class: "note" });
    const found = h("span", { class: "found", hidden: true });
    const said = h("ul", { class: "picture-notes", hidden: true });
    const button = h("button", { type: "button", class: "thumb" }, picture.element, found);
    const element = h("li", {}, button, label, note, said);
    this.#thumbs.set(photo.id, { picture, label, note, button, found, said, element });
    return element;
  }

  #update(photo, label, photos, labels) {
    const thumb = this.#thumbs.get(photo.id);
    setText(thumb.label, visible(label, 80));
    thumb.picture.alt = visible(`${label}: ${photo.name}`, 160);
    thumb.button.disabled = !photo.url;
    thumb.button.onclick = () => this.#open(photo, photos, labels);
    thumb.element.dataset.tone = photo.rejected_reason ? "bad" : photo.received_at ? "" : "warn";
    fill(thumb.note, noteOf(photo));
    this.#mark(thumb, this.#findings.get(photo.name) ?? []);
    thumb.element.title = photo.taken_at ? `Taken ${exact(photo.taken_at)}` : "";
    thumb.picture.show(withWidth(photo.url, 640));
  }

  /** Findings drawn on the photo that they name: an outline and a badge in the tone of the gravest, the words below. */
  #mark({ found, said, button, picture }, defects) {
    const key = JSON.stringify(defects.map((defect) => [defect.id, defect.severity, defect.message]));
    found.hidden = said.hidden = defects.length === 0;
    button.toggleAttribute("data-found", defects.length > 0);
    const words = defects.length > 0 ? plural(defects.length, "finding") : "";
    button.setAttribute("aria-label", [`Open photo: ${picture.alt}`, words].filter(Boolean).join(", "));
    if (found.dataset.key === key) return;
    found.dataset.key = key;
    const worst = severityOf(defects[0]?.severity ?? "info");
    for (const element of [found, button]) element.dataset.tone = worst.tone;
    fill(found, icon(worst.icon), words);
    fill(said, defects.map(findingLine));
  }

  #open(photo, photos, labels) {
    const shown = photos.filter((candidate) => candidate.url);
    const items = shown.map((one) => ({
      title: visible(`${labels.get(one.shot_key) ?? humanize(one.shot_key)} · ${one.name}`, 160),
      large: withWidth(one.url, 1600),
      original: one.url,
      notes: this.#findings.get(one.name),
    }));
    openLightbox({ api: this.api, items, start: shown.indexOf(photo) });
  }
}

function noteOf(photo) {
  if (photo.rejected_reason) return [icon("cross"), foreign(humanize(photo.rejected_reason), { limit: 160 })];
  if (!photo.received_at) return [icon("clock"), "Not received yet"];
  const size = photo.width && photo.height ? `${photo.width} × ${photo.height}` : photo.type ?? "";
  return [[size, photo.size ? bytes(photo.size) : ""].filter(Boolean).join(", ")];
}
