// The Crew Desk: routes by hash, signs in, and draws the section that the address names.
import { closeoutView } from "./closeout.js";
import { api, banner, clear, el, frame, main, reset } from "./page.js";

async function signInView(params) {
  const user = el("input", { "aria-label": "User name", placeholder: "User name", autocomplete: "username" });
  const password = el("input", { "aria-label": "Password", placeholder: "Password", type: "password", autocomplete: "current-password" });
  const open = el("button", { class: "go", type: "submit" }, "Open my desk");
  const form = el("form", {}, field(user), field(password), el("div", { class: "actions" }, open));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    open.disabled = true;
    const answer = await api("POST", "session", { user: user.value, password: password.value }, { signingIn: true });
    open.disabled = false;
    if (!answer.ok) return;
    frame(answer.body);
    clear();
    location.hash = params.get("back") || "#/desk";
  });
  main(el("h1", {}, "Ahoy."), el("p", { class: "lead" }, "Sign in with your crew's name."), form);
  user.focus();
}

const field = (control) => el("div", { class: "field" }, control);

async function deskView() {
  const answer = await api("GET", "closeouts");
  if (!answer.ok) return;
  const start = el("button", { class: "go", type: "button" }, "Start a close-out");
  start.addEventListener("click", async () => {
    start.disabled = true;
    const made = await api("POST", "closeouts");
    start.disabled = false;
    if (made.ok) location.hash = `#/closeout/${made.body.id}/site`;
  });
  const items = answer.body.items.map((item) =>
    el("li", {}, el("a", { href: `#/closeout/${item.id}/site` }, `${item.id} · ${item.reference || "no reference yet"}`)));
  main(
    el("h1", {}, "Your desk"),
    el("p", { class: "lead" }, items.length ? "Unfinished close-outs." : "Nothing is unfinished."),
    el("div", { class: "actions" }, start),
    el("ul", { class: "desk" }, ...items),
  );
}

async function show() {
  const [path, query = ""] = location.hash.slice(1).split("?");
  const [, place = "", id = "", section = ""] = path.split("/");
  reset(place === "sign-in");
  if (place === "sign-in") return signInView(new URLSearchParams(query));
  if (!frame.signedIn) {
    const answer = await api("GET", "session");
    if (!answer.ok) return undefined;
    frame(answer.body);
  }
  if (place === "closeout") return closeoutView(id, section);
  if (place === "desk") return deskView();
  location.replace("#/desk");
  return undefined;
}

window.addEventListener("hashchange", show);
window.addEventListener("unhandledrejection", () => banner("error", "Something went wrong in this page. Reload it."));
show();
