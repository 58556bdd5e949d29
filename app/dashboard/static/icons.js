// Line icons on a 24-unit grid, built as DOM. Always beside a word, so they are hidden from screen readers.

const NS = "http://www.w3.org/2000/svg";

const PATHS = {
  alert: ["M12 4 2.8 19.5h18.4z", "M12 10v4.2", "M12 16.9v.2"],
  arrow: ["M7 17 17 7", "M9 7h8v8"],
  camera: ["M4 8h3.2L9 5.5h6L16.8 8H20v11H4z", "M12 10a3.3 3.3 0 1 0 0 6.6 3.3 3.3 0 0 0 0-6.6z"],
  check: ["M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18z", "m8 12.3 2.8 2.7L16 9.5"],
  chevron: ["m9 6 6 6-6 6"],
  clock: ["M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18z", "M12 7.5V12l3.2 2"],
  close: ["m6 6 12 12", "M18 6 6 18"],
  copy: ["M9 9h11v11H9z", "M5 15H4V4h11v1"],
  cross: ["M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18z", "m9 9 6 6", "m15 9-6 6"],
  down: ["M12 4v11", "m7.5 11 4.5 4.5 4.5-4.5", "M5 20h14"],
  flag: ["M6 21V4h11l-2.5 4L17 12H6"],
  gear: ["M12 9a3 3 0 1 0 0 6 3 3 0 0 0 0-6z", "M12 5.2a6.8 6.8 0 1 0 0 13.6 6.8 6.8 0 0 0 0-13.6z", "M12 2.5v2.7", "M12 18.8v2.7", "M2.5 12h2.7", "M18.8 12h2.7", "m5.3 5.3 1.9 1.9", "m16.8 16.8 1.9 1.9", "m18.7 5.3-1.9 1.9", "m7.2 16.8-1.9 1.9"],
  hand: ["M7 12V6.5a1.5 1.5 0 0 1 3 0V11", "M10 11V4.5a1.5 1.5 0 0 1 3 0V11", "M13 11V5.5a1.5 1.5 0 0 1 3 0V12", "M16 12V8.5a1.5 1.5 0 0 1 3 0V15c0 3.5-2.5 6-6 6-2.8 0-4.3-1.3-5.5-3.5L4.7 13.4c-.7-1.4 1.1-2.5 2.1-1.3L8 13.5"],
  inbox: ["M4 13 6.5 5h11L20 13v6H4z", "M4 13h4.5l1.2 2.5h4.6l1.2-2.5H20"],
  info: ["M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18z", "M12 11v5.5", "M12 7.7v.2"],
  keyboard: ["M3 6.5h18v11H3z", "M6.5 10h.1", "M10 10h.1", "M13.5 10h.1", "M17 10h.1", "M8 14h8"],
  moon: ["M19.5 14.5A8 8 0 0 1 9.5 4.5a8 8 0 1 0 10 10z"],
  octagon: ["M8.3 3h7.4L21 8.3v7.4L15.7 21H8.3L3 15.7V8.3z", "M12 7.5v5.5", "M12 16v.2"],
  out: ["M14 5H5v14h9", "M11 12h9.5", "m17 8.5 3.5 3.5-3.5 3.5"],
  question: ["M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18z", "M9.5 9.6c.2-1.4 1.2-2.2 2.6-2.2s2.5.9 2.5 2.2c0 1.9-2.5 2-2.5 3.9", "M12 16.5v.2"],
  queue: ["M4 6h16", "M4 12h16", "M4 18h10"],
  retry: ["M19.5 12a7.5 7.5 0 1 1-2.3-5.4L19.5 9", "M19.5 4.5V9H15"],
  search: ["M10.5 4a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13z", "m15.5 15.5 5 5"],
  stop: ["M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18z", "M9.3 9.3h5.4v5.4H9.3z"],
  sun: ["M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8z", "M12 2.5v2", "M12 19.5v2", "M2.5 12h2", "M19.5 12h2", "m5.3 5.3 1.4 1.4", "m17.3 17.3 1.4 1.4", "m18.7 5.3-1.4 1.4", "m6.7 17.3-1.4 1.4"],
  system: ["M3.5 5h17v11h-17z", "M9 20h6", "M12 16v4"],
  wave: ["M3 12h4l2.5-6 4.5 12 2.5-6H21"],
};

/** An <svg> icon by name. Throws for a name that is not drawn: a missing icon is a bug, not a gap. */
export function icon(name) {
  const paths = PATHS[name];
  if (!paths) throw new Error(`no icon ${name}`);
  const svg = document.createElementNS(NS, "svg");
  for (const [key, value] of [["viewBox", "0 0 24 24"], ["class", "icon"], ["aria-hidden", "true"], ["focusable", "false"]]) {
    svg.setAttribute(key, value);
  }
  for (const d of paths) {
    const path = document.createElementNS(NS, "path");
    path.setAttribute("d", d);
    svg.append(path);
  }
  return svg;
}

/** The mark: a surveyor's benchmark. */
export function mark() {
  const svg = icon("alert");
  svg.setAttribute("class", "mark");
  svg.replaceChildren();
  for (const [tag, attributes] of [["path", { d: "M12 3.5 21.5 20.5h-19z" }], ["circle", { cx: 12, cy: 14.6, r: 2.3 }]]) {
    const shape = document.createElementNS(NS, tag);
    for (const [key, value] of Object.entries(attributes)) shape.setAttribute(key, value);
    svg.append(shape);
  }
  return svg;
}
