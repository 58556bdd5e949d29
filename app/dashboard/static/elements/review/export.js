// A menu of files with everything that matches. The browser saves the streams by itself; of a download that is refused it would
// say no more than that it failed, so the head is asked for first.

import { visible } from "../../core.js";
import { h, setText } from "../../dom.js";
import { icon } from "../../icons.js";

const FILES = [
  { path: "/api/exports/records.csv", query: { bom: "true" }, label: "Table for Excel (CSV)" },
  { path: "/api/exports/records.csv", query: {}, label: "Table (CSV, plain UTF-8)" },
  { path: "/api/exports/records.geojson", query: {}, label: "Map (GeoJSON)" },
  { path: "/api/exports/photos.zip", query: {}, label: "Photos (zip)" },
];

/** The menu and what it has to say; `asked()` is the API's query of what matches now. Null with a token: a link cannot carry it. */
export function exportMenu(api, asked) {
  if (api.token) return null;
  const links = FILES.map((file) => ({ file, link: h("a", { download: true, href: api.url(file.path).href }, file.label) }));
  const menu = h("details", { class: "menu" }, h("summary", { class: "button" }, icon("down"), "Export"),
    h("div", { class: "card menu-items" }, links.map(({ link }) => link)));
  const said = h("p", { class: "answer", role: "alert" });
  let last = 0;
  async function save(href) {
    const mine = (last += 1);
    setText(said, "");
    const refused = await refusalOf(api, href);
    if (refused && mine === last) setText(said, `Not exported: ${visible(refused.message, 300)}`);
    if (!refused) h("a", { download: true, href }).click();
  }
  // The address is made when it is looked at, so that it is that of what is shown.
  menu.addEventListener("toggle", () => {
    for (const { file, link } of links) link.href = api.url(file.path, { ...asked(), ...file.query }).href;
  });
  menu.addEventListener("click", (event) => {
    const link = event.target.closest("a");
    if (!link) return;
    menu.open = false;
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    save(link.href);
  });
  menu.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });
  menu.addEventListener("focusout", (event) => {
    if (event.relatedTarget && !menu.contains(event.relatedTarget)) menu.open = false;
  });
  return [said, menu];
}

/** Why a file is refused, or null. The head says whether; what it refuses is asked once more, for the reason in its body. */
async function refusalOf(api, href) {
  const head = await fetch(href, { method: "HEAD", credentials: "same-origin", cache: "no-store" }).catch(() => null);
  return head?.ok ? null : api.refusal(href);
}
