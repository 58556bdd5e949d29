// Charts as inline SVG: bars, lines and sparklines. The plot stretches, its words are HTML around it, and every figure
// says the same as a table. Numbers come from our own API; nothing here is text from outside.

import { fill, h } from "../dom.js";

const NS = "http://www.w3.org/2000/svg";
const WIDE = 600;
const HIGH = 120;

function s(tag, attributes = {}, ...children) {
  const element = document.createElementNS(NS, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

const plot = (...marks) => s("svg", { viewBox: `0 0 ${WIDE} ${HIGH}`, preserveAspectRatio: "none", class: "plot", "aria-hidden": "true", focusable: "false" }, ...marks);

/** The next of 1, 2, 5, 10, 20, 50, … that is not smaller: what the top of a scale says. */
export function roundUp(value) {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((step) => step * power).find((step) => step >= value * (1 - 1e-9));
}

/** Bars that stand on each other, one pile a piece: series are {label, tone, value(piece)}. */
export function bars({ pieces, series }) {
  const sums = pieces.map((piece) => series.reduce((sum, each) => sum + each.value(piece), 0));
  const top = roundUp(Math.max(...sums));
  const wide = WIDE / pieces.length;
  const marks = pieces.flatMap((piece, at) => {
    let y = HIGH;
    return series.filter((each) => each.value(piece) > 0).map((each) => {
      const high = (each.value(piece) / top) * HIGH;
      y -= high;
      return s("rect", { x: (at * wide + wide * 0.12).toFixed(2), y: y.toFixed(2), width: (wide * 0.76).toFixed(2), height: high.toFixed(2), "data-tone": each.tone, class: "bar-mark" });
    });
  });
  return { top, svg: plot(...marks) };
}

/** One line a series; a piece without a value is a gap, a value alone between gaps a short stroke. */
export function lines({ pieces, series }) {
  const values = series.flatMap((each) => pieces.map(each.value)).filter((value) => value !== null);
  const top = roundUp(Math.max(0, ...values));
  const wide = WIDE / pieces.length;
  const marks = series.map((each) => {
    let path = "";
    let pen = false;
    pieces.forEach((piece, at) => {
      const value = each.value(piece);
      if (value === null) {
        pen = false;
        return;
      }
      const y = (HIGH - (value / top) * HIGH).toFixed(2);
      const alone = !pen && (pieces[at + 1] === undefined || each.value(pieces[at + 1]) === null);
      path += alone ? `M${(at * wide + wide * 0.25).toFixed(2)} ${y}h${(wide / 2).toFixed(2)}` : `${pen ? "L" : "M"}${(at * wide + wide / 2).toFixed(2)} ${y}`;
      pen = true;
    });
    return s("path", { d: path || "M0 0", "data-tone": each.tone, class: each.dashed ? "line-mark dashed" : "line-mark" });
  });
  return { top, svg: plot(...marks) };
}

/** A row of small bars, with its sentence for those who do not see it. */
export function sparkline(values, label) {
  const top = Math.max(1, ...values);
  const wide = 4;
  const marks = values.map((value, at) => s("rect", { x: at * wide, y: 24 - Math.max(1, (value / top) * 24), width: wide - 1, height: Math.max(1, (value / top) * 24), class: value > 0 ? "bar-mark" : "bar-none" }));
  return s("svg", { viewBox: `0 0 ${values.length * wide} 24`, class: "spark", role: "img", "aria-label": label, "data-tone": "bad" }, ...marks);
}

/** A figure: title, what it is a chart of, the plot with its scale, and the table. `when(piece)` names a piece. */
export function figure({ title, note, draw, pieces, series, format, when, opened = false }) {
  const id = `chart-${title.toLowerCase().replaceAll(/\W+/g, "-")}`;
  const { top, svg } = draw({ pieces, series });
  const empty = pieces.every((piece) => series.every((each) => !each.value(piece)));
  return h("figure", { class: "chart section", "aria-labelledby": id },
    h("figcaption", {}, h("h3", { id }, title), h("p", { class: "faint" }, note)),
    h("ul", { class: "legend" }, series.map((each) => h("li", { "data-tone": each.tone, class: each.dashed ? "dashed" : null }, each.label))),
    h("div", { class: "plot-box" },
      h("span", { class: "scale" }, h("span", {}, format(top)), h("span", {}, format(0))),
      h("div", { class: "plot-area" }, svg, empty ? h("p", { class: "faint none" }, "Nothing in this time") : null),
      h("span", { class: "times" }, h("span", {}, when(pieces[0])), h("span", {}, when(pieces[Math.floor(pieces.length / 2)])), h("span", {}, "now"))),
    table({ title, pieces, series, format, when, opened }));
}

function table({ title, pieces, series, format, when, opened }) {
  const body = h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": `${title} as a table` });
  const details = h("details", { open: opened, "data-chart": title }, h("summary", {}, "As a table"), body);
  const build = () => fill(body, h("table", { class: "inner" },
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "From"), series.map((each) => h("th", { scope: "col" }, each.label)))),
    h("tbody", {}, [...pieces].reverse().map((piece) => h("tr", {}, h("th", { scope: "row" }, when(piece)),
      series.map((each) => h("td", {}, each.value(piece) === null ? "–" : format(each.value(piece)))))))));
  details.addEventListener("toggle", () => details.open && build());
  if (opened) build();
  return details;
}
