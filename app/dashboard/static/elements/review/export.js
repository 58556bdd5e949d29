// A menu of files with everything that matches. Plain links: the browser saves the streams by itself.

import { h } from "../../dom.js";
import { icon } from "../../icons.js";

const FILES = [
  { path: "/api/exports/records.csv", query: { bom: "true" }, label: "Table for Excel (CSV)" },
  { path: "/api/exports/records.csv", query: {}, label: "Table (CSV, plain UTF-8)" },
  { path: "/api/exports/records.geojson", query: {}, label: "Map (GeoJSON)" },
  { path: "/api/exports/photos.zip", query: {}, label: "Photos (zip)" },
];

/** `asked()` is the API's query of what matches now. Null with a token: a link cannot carry it. */
export function exportMenu(api, asked) {
  if (api.token) return null;
  const links = FILES.map((file) => ({ file, link: h("a", { download: true, href: api.url(file.path).href }, file.label) }));
  const menu = h("details", { class: "menu" }, h("summary", { class: "button" }, icon("down"), "Export"),
    h("div", { class: "card menu-items" }, links.map(({ link }) => link)));
  // The address is made when it is looked at, so that it is that of what is shown.
  menu.addEventListener("toggle", () => {
    for (const { file, link } of links) link.href = api.url(file.path, { ...asked(), ...file.query }).href;
  });
  menu.addEventListener("click", (event) => {
    if (event.target.closest("a")) menu.open = false;
  });
  menu.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });
  menu.addEventListener("focusout", (event) => {
    if (event.relatedTarget && !menu.contains(event.relatedTarget)) menu.open = false;
  });
  return menu;
}
