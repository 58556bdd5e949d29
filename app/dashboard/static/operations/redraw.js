// What is shown is drawn again only where it has changed, and the focus and the place one had scrolled to outlive that.

import { fill } from "../dom.js";

const FOCUSABLE = "a[href], button, summary, input, select, [tabindex]";
const drawn = new WeakMap();

/** Fill `place` with what `build()` gives, unless `what`, all that it shows, is as it was the last time. */
export function redraw(place, what, build) {
  const key = JSON.stringify(what);
  if (drawn.get(place) === key) return;
  drawn.set(place, key);
  const keep = keepFocus(place);
  const scrolled = [...place.querySelectorAll(".scroll")].map((region) => [region.scrollLeft, region.scrollTop]);
  fill(place, build());
  [...place.querySelectorAll(".scroll")].forEach((region, at) => region.scrollTo(...(scrolled[at] ?? [0, 0])));
  keep();
}

/** Returns what gives the focus back in `place`, where it stood and was lost: to what had it, or to its like. */
export function keepFocus(place) {
  const active = document.activeElement;
  if (!place.contains(active)) return () => {};
  const alike = () => [...place.querySelectorAll(FOCUSABLE)].filter((each) => nameOf(each) === name);
  const name = nameOf(active);
  const at = alike().indexOf(active);
  return () => document.activeElement === active || (active.isConnected ? active : alike()[at])?.focus({ preventScroll: true });
}

// Words may count something; what a link leads to and what a button does stay.
const nameOf = (element) => [element.tagName, element.dataset.act ?? element.getAttribute("href") ?? element.getAttribute("aria-label") ?? element.textContent].join(" ");
