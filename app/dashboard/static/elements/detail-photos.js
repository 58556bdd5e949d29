// The photos of a record by their slot, and the lightbox that photos and screenshots open in.

import { bytes, exact, safeUrl, visible } from "../core.js";
import { fill, foreign, h, keyed, setText } from "../dom.js";
import { icon } from "../icons.js";
import { humanize } from "../words.js";

const withWidth = (url, width) => (url ? `${url}${url.includes("?") ? "&" : "?"}w=${width}` : null);

/** An <img> that is put in place once it is decoded: the old picture stays until then, so nothing flickers. */
export class Picture {
  #wanted = null;

  constructor({ api, alt, className = "" }) {
    this.api = api;
    this.alt = alt;
    this.element = h("span", { class: `picture ${className}` });
  }

  async show(path) {
    if (path === this.#wanted) return;
    this.#wanted = path;
    const source = path ? await this.api.image(path).catch(() => null) : null;
    if (path !== this.#wanted) return;
    if (!source) return fill(this.element, icon("camera"));
    const image = h("img", { src: source, alt: this.alt, decoding: "async", draggable: "false" });
    try {
      await image.decode();
      if (path === this.#wanted) fill(this.element, image);
    } catch {
      if (path === this.#wanted) fill(this.element, icon("camera"), h("span", { class: "faint" }, "No picture"));
    }
  }
}

/** A dialog of its own above the record: arrows step through, Esc closes. */
export function openLightbox({ api, items, start = 0 }) {
  let at = start;
  const picture = new Picture({ api, alt: "", className: "large" });
  const title = h("bdi", { class: "caption" });
  const place = h("span", { class: "faint" });
  const save = h("a", { class: "button", hidden: true }, icon("down"), "Original");
  const show = (step) => {
    at = (at + step + items.length) % items.length;
    const item = items[at];
    picture.alt = item.title;
    picture.show(item.large);
    setText(title, item.title);
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
    room.remove();
  });
  document.body.append(room);
  show(0);
  dialog.showModal();
}

export class PhotosSection {
  #thumbs = new Map();

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
    setText(this.tail, `${record.photos.received} of ${record.photos.expected}`);
    this.empty.hidden = photos.length > 0;
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
    const button = h("button", { type: "button", class: "thumb" }, picture.element);
    const element = h("li", {}, button, label, note);
    this.#thumbs.set(photo.id, { picture, label, note, button, element });
    return element;
  }

  #update(photo, label, photos, labels) {
    const thumb = this.#thumbs.get(photo.id);
    setText(thumb.label, visible(label, 80));
    thumb.picture.alt = visible(`${label}: ${photo.name}`, 160);
    thumb.button.disabled = !photo.url;
    thumb.button.setAttribute("aria-label", `Open photo: ${thumb.picture.alt}`);
    thumb.button.onclick = () => this.#open(photo, photos, labels);
    thumb.element.dataset.tone = photo.rejected_reason ? "bad" : photo.received_at ? "" : "warn";
    fill(thumb.note, noteOf(photo));
    thumb.element.title = photo.taken_at ? `Taken ${exact(photo.taken_at)}` : "";
    thumb.picture.show(withWidth(photo.url, 640));
  }

  #open(photo, photos, labels) {
    const shown = photos.filter((candidate) => candidate.url);
    const items = shown.map((one) => ({
      title: visible(`${labels.get(one.shot_key) ?? humanize(one.shot_key)} · ${one.name}`, 160),
      large: withWidth(one.url, 1600),
      original: one.url,
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
