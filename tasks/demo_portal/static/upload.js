// Sends chosen photos at once, one after another, with progress. Without it the form works as a plain multipart form.
"use strict";

const TRIES = 3;
const form = document.getElementById("sender");
const chooser = document.getElementById("photos");
const slots = document.getElementById("slots");
let line = Promise.resolve();

const make = (tag, text = "") => Object.assign(document.createElement(tag), { textContent: text });

function post(file, onProgress) {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    const body = new FormData();
    body.append("photos", file, file.name);
    request.open("POST", form.action);
    request.setRequestHeader("Accept", "application/json");
    request.responseType = "text";
    request.upload.onprogress = (event) => event.lengthComputable && onProgress(event.loaded / event.total);
    request.onloadend = () => resolve(request);
    request.send(body);
  });
}

function refuse(text) {
  let list = document.querySelector("[role=alert] ul");
  if (!list) {
    const box = make("div");
    box.className = "alert";
    box.setAttribute("role", "alert");
    list = make("ul");
    box.append(make("p", "Please correct the following:"), list);
    document.querySelector(".stepper").after(box);
  }
  const item = make("li", text);
  item.dataset.field = "photos";
  list.append(item);
}

function show(slot, photo) {
  for (const old of slots.querySelectorAll("[data-photo]")) if (old.dataset.photo === photo.name) old.remove();
  const link = make("a");
  link.href = `/pictures/${photo.id}/large`;
  link.append(Object.assign(new Image(), { src: `/pictures/${photo.id}/thumb`, alt: "" }));
  const size = `${photo.width} × ${photo.height} · ${Math.floor(photo.size / 1024).toLocaleString("en-US")} KB`;
  slot.replaceChildren(link, make("b", photo.name), make("small", size));
  slot.dataset.sha256 = photo.sha256;
  slot.dataset.photo = photo.name;
}

async function send(file) {
  const slot = make("li");
  const bar = Object.assign(make("progress"), { max: 1, value: 0 });
  slot.append(make("b", file.name), bar);
  slots.append(slot);
  for (let attempt = 1; attempt <= TRIES; attempt += 1) {
    const request = await post(file, (done) => { bar.value = done; });
    if (new URL(request.responseURL || form.action).pathname === "/login") return location.assign(request.responseURL);
    if (request.status === 201 || request.status === 422) {
      const answer = JSON.parse(request.responseText);
      answer.refused.forEach((item) => refuse(`${item.name}: ${item.message}`));
      return answer.accepted.length ? show(slot, answer.accepted[0]) : slot.remove();
    }
  }
  slot.className = "failed";
  bar.replaceWith(make("small", "The upload failed. Choose the photo again."));
}

form.classList.add("live");
chooser.addEventListener("change", () => {
  const chosen = [...chooser.files];
  chooser.value = "";
  for (const file of chosen) line = line.then(() => send(file));
});
