// The views of the dashboard, each at its address. A view is a module in views/ with `title` and `mount(root, page)`;
// adding one is a line here and its path in ../routes.py. They are loaded when they are first shown, so that one that is
// broken breaks no other. `nav` is its word in the bar, for those whom `shows` lets.

import { operated } from "./projects.js";

export const VIEWS = [
  { path: "/", load: () => import("./views/forms.js"), nav: "Forms" },
  { path: "/records/{record_id}", load: () => import("./views/record.js"), within: "/" },
  { path: "/operations", load: () => import("./views/operations.js"), nav: "Operations", shows: (me) => operated(me).length > 0 },
  { path: "/operations/failures", load: () => import("./views/operations-failures.js"), within: "/operations" },
  { path: "/operations/portals", load: () => import("./views/operations-portals.js"), within: "/operations" },
  { path: "/operations/questions", load: () => import("./views/operations-questions.js"), within: "/operations" },
  { path: "/operations/audit", load: () => import("./views/operations-audit.js"), within: "/operations" },
];

const compiled = VIEWS.map((view) => ({ view, parts: view.path.split("/") }));

/** The view an address belongs to and what stands in its braces, or null. A more literal path comes first in VIEWS. */
export function viewAt(pathname) {
  const given = pathname.split("/");
  for (const { view, parts } of compiled) {
    if (parts.length !== given.length) continue;
    const params = {};
    if (parts.every((part, at) => fits(part, given[at], params))) return { view, params };
  }
  return null;
}

function fits(part, given, params) {
  if (!part.startsWith("{")) return part === given;
  try {
    params[part.slice(1, -1)] = decodeURIComponent(given);
  } catch {
    return false; // a stray percent sign
  }
  return given !== "";
}
