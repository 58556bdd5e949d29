// Photos of a close-out: sent one after another as soon as they are chosen, three tries each.
import { api, el } from "./page.js";

const TRIES = 3;
let line = Promise.resolve();

/** A photo that has arrived. */
export function tile(photo) {
  const picture = el("img", { src: `/harbor/api/photos/${photo.id}`, alt: "" });
  return el("li", { "data-file": photo.name, "data-state": "done", "data-sha256": photo.sha256 }, picture, photo.name);
}

/** Send files; each shows as a tile of state sending, then done or refused. */
export function addPhotos(id, files, tiles) {
  for (const file of files) {
    for (const old of tiles.children) if (old.dataset.file === file.name) old.remove();
    const waiting = el("li", { "data-file": file.name, "data-state": "sending" }, `${file.name} …`);
    tiles.append(waiting);
    line = line.then(() => send(id, file, waiting));
  }
}

async function send(id, file, waiting) {
  for (let attempt = 1; attempt <= TRIES; attempt += 1) {
    const form = new FormData();
    form.append("file", file, file.name);
    const answer = await api("POST", `closeouts/${id}/photos`, form, { quiet: attempt < TRIES });
    if (answer.ok) return waiting.replaceWith(tile(answer.body));
    if (answer.status === 401) return undefined;
    if (answer.status >= 400 && answer.status < 500) return refuse(waiting, answer.body.message);
  }
  return refuse(waiting, `${file.name} could not be sent.`);
}

function refuse(waiting, text) {
  waiting.dataset.state = "refused";
  waiting.textContent = text;
}
