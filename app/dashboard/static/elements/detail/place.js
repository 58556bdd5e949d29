// Where a record was made, against its site: drawn from the record's own numbers, without a map service. Metres, north is up.

import { visible } from "../../core.js";
import { fill, h } from "../../dom.js";
import { Section } from "./record.js";

const NS = "http://www.w3.org/2000/svg";
const [WIDTH, HEIGHT, MARGIN] = [320, 220, 22];
const M_PER_DEGREE = 111_320;
const STEPS = [1, 2, 5];

const s = (tag, attributes, ...children) => {
  const element = document.createElementNS(NS, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.append(...children);
  return element;
};

/** Degrees to metres east and south of a point: at the size of a site the earth is flat. */
export function flat({ lat, lon }, from) {
  const turn = ((((lon - from.lon) % 360) + 540) % 360) - 180; // the short way round, over 180 degrees, too
  return { x: turn * M_PER_DEGREE * Math.cos((from.lat * Math.PI) / 180), y: (from.lat - lat) * M_PER_DEGREE };
}

/** The rings of a GeoJSON Polygon or MultiPolygon as [{lat, lon}]; none for anything else. */
export function ringsOf(boundary) {
  const polygons = boundary?.type === "Polygon" ? [boundary.coordinates] : boundary?.type === "MultiPolygon" ? boundary.coordinates : [];
  const isPlace = (pair) => Array.isArray(pair) && Number.isFinite(pair[0]) && Number.isFinite(pair[1]);
  return (Array.isArray(polygons) ? polygons : []).flatMap((rings) => (Array.isArray(rings) ? rings : []))
    .map((ring) => (Array.isArray(ring) ? ring.filter(isPlace).map(([lon, lat]) => ({ lat, lon })) : [])).filter((ring) => ring.length > 2);
}

/** A round length of at most so many metres: 1, 2 or 5 and noughts. */
export function roundLength(metres) {
  const power = 10 ** Math.floor(Math.log10(metres));
  return Math.max(...STEPS.map((step) => step * power).filter((length) => length <= metres), power);
}

export const lengthOf = (metres) => (metres >= 1000 ? `${Number((metres / 1000).toPrecision(2))} km` : `${Number(metres.toPrecision(2))} m`);

export class PlaceSection extends Section {
  constructor() {
    super("Place", "place");
  }

  pick({ lat, lon, h_accuracy_m, site, photo_list }) {
    const photos = photo_list.filter((photo) => photo.lat !== null && photo.lon !== null).map(({ name, lat: at, lon: on }) => ({ name, lat: at, lon: on }));
    return { at: lat === null || lon === null ? null : { lat, lon }, accuracy: h_accuracy_m ?? 0, site, photos };
  }

  draw({ at, accuracy, site, photos }) {
    const rings = ringsOf(site.boundary);
    const centre = site.lat === null ? null : { lat: site.lat, lon: site.lon };
    const from = at ?? centre ?? rings[0]?.[0] ?? photos[0];
    if (!from) return fill(this.body, h("p", { class: "faint" }, "Neither the record nor its site has a position."));
    const scene = {
      rings: rings.map((ring) => ring.map((place) => flat(place, from))),
      circle: rings.length === 0 && centre ? { ...flat(centre, from), r: site.radius_m } : null,
      record: at ? { x: 0, y: 0, r: accuracy } : null,
      photos: photos.map((photo) => ({ ...flat(photo, from), name: photo.name })),
    };
    const words = sentence(scene, accuracy);
    fill(this.body, picture(scene, words), h("p", { class: "faint" }, words), legend(scene));
  }
}

function picture(scene, words) {
  const round = (c) => [{ x: c.x - c.r, y: c.y - c.r }, { x: c.x + c.r, y: c.y + c.r }];
  const points = [...scene.rings.flat(), ...scene.photos, ...[scene.circle, scene.record].filter(Boolean).flatMap(round)];
  const [xs, ys] = [points.map((p) => p.x), points.map((p) => p.y)];
  const [left, right, top, bottom] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  const perPixel = Math.max((right - left) / (WIDTH - 2 * MARGIN), (bottom - top) / (HEIGHT - 2 * MARGIN), 0.05);
  const X = (x) => round1(WIDTH / 2 + (x - (left + right) / 2) / perPixel);
  const Y = (y) => round1(HEIGHT / 2 + (y - (top + bottom) / 2) / perPixel);
  const path = (ring) => `${ring.map((p, n) => `${n ? "L" : "M"}${X(p.x)} ${Y(p.y)}`).join("")}Z`;
  const bar = roundLength(perPixel * 90);
  return s("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: "map", role: "img", "aria-label": visible(words, 400) },
    ...(scene.rings.length > 0 ? [s("path", { class: "site", d: scene.rings.map(path).join(""), "fill-rule": "evenodd" })] : []),
    ...(scene.circle ? [s("circle", { class: "site", cx: X(scene.circle.x), cy: Y(scene.circle.y), r: round1(scene.circle.r / perPixel) })] : []),
    ...(scene.record?.r > 0 ? [s("circle", { class: "accuracy", cx: X(0), cy: Y(0), r: Math.max(1, round1(scene.record.r / perPixel)) })] : []),
    ...scene.photos.map((photo) => s("rect", { class: "photo-at", x: X(photo.x) - 3, y: Y(photo.y) - 3, width: 6, height: 6 }, titled(photo.name))),
    ...(scene.record ? [s("circle", { class: "record-at", cx: X(0), cy: Y(0), r: 4.5 }, titled("The record"))] : []),
    s("g", { class: "scale", "aria-hidden": "true" },
      s("path", { d: `M10 ${HEIGHT - 8}v-5M10 ${HEIGHT - 10}h${round1(bar / perPixel)}M${10 + round1(bar / perPixel)} ${HEIGHT - 8}v-5` }),
      label(14 + round1(bar / perPixel), HEIGHT - 6, lengthOf(bar))),
    s("g", { class: "north", "aria-hidden": "true" }, s("path", { d: `M${WIDTH - 16} 26V8m-4 6 4-6 4 6` }), label(WIDTH - 20, 38, "N")));
}

const round1 = (n) => Math.round(n * 10) / 10;
const titled = (text) => s("title", {}, visible(text, 120));
const label = (x, y, text) => s("text", { x, y }, text);

/** What the picture shows, in words. */
function sentence({ rings, circle, record, photos }, accuracy) {
  if (!record) return "The record has no position; this is its site.";
  const site = rings.length > 0 ? (rings.reduce((inside, ring) => inside !== holds(ring), false) ? "inside the site’s boundary" : "outside the site’s boundary")
    : circle ? `${lengthOf(Math.max(Math.hypot(circle.x, circle.y), 1))} from the site’s centre, ${Math.hypot(circle.x, circle.y) <= circle.r ? "within" : "outside"} its ${lengthOf(circle.r)}` : "of a site without a position";
  const far = photos.length > 0 ? `; its ${photos.length === 1 ? "photo" : `${photos.length} photos`} up to ${lengthOf(Math.max(1, ...photos.map((p) => Math.hypot(p.x, p.y))))} away` : "";
  return `The record is ${site}${accuracy > 0 ? `, accurate to ${lengthOf(accuracy)}` : ""}${far}.`;
}

/** Whether a ring goes around the origin, where the record is. */
function holds(ring) {
  let inside = false;
  for (let i = 0, j = ring.length - 1; i < ring.length; j = i, i += 1) {
    const [a, b] = [ring[i], ring[j]];
    if (a.y > 0 !== b.y > 0 && 0 < ((b.x - a.x) * -a.y) / (b.y - a.y) + a.x) inside = !inside;
  }
  return inside;
}

function legend({ rings, circle, record, photos }) {
  const entries = [
    record ? ["record-at", "Record"] : null,
    record?.r > 0 ? ["accuracy", "Accuracy"] : null,
    photos.length > 0 ? ["photo-at", "Photos"] : null,
    rings.length > 0 || circle ? ["site", rings.length > 0 ? "Site" : "Site (circle)"] : null,
  ].filter(Boolean);
  return h("ul", { class: "legend", "aria-hidden": "true" }, entries.map(([name, text]) => h("li", {}, swatch(name), text)));
}

function swatch(name) {
  const shape = name === "photo-at" ? s("rect", { class: name, x: 3, y: 3, width: 6, height: 6 }) : s("circle", { class: name, cx: 6, cy: 6, r: name === "record-at" ? 4 : 5 });
  return s("svg", { viewBox: "0 0 12 12", class: "swatch" }, shape);
}
