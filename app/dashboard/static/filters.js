// A filter of records as it stands in the address, and as the API wants it. Without DOM: the bar shows it, the list asks.

/** The parts of a filter; in an address each is one parameter, several values of one between commas. */
export const FILTER_PARTS = Object.freeze(["q", "state", "review", "severity", "portal", "received", "captured"]);
const LISTS = ["state", "review", "severity", "portal"];

/** Spans that move with the day, in whole days before today. */
const SPANS = { today: 0, "7d": 6, "30d": 29, "90d": 89 };

/** The filter of an address's query: every part as text, empty where it lets everything through. */
export const filterOf = (query) => Object.fromEntries(FILTER_PARTS.map((name) => [name, query.get(name) ?? ""]));

export const isNarrowed = (filter, besides = []) => FILTER_PARTS.some((name) => filter[name] && !besides.includes(name));

export const valuesOf = (text) => (text ? text.split(",").filter((value) => value !== "") : []);

/** Put a value into a part's list, or take it out. */
export function toggled(text, value) {
  const values = valuesOf(text);
  return (values.includes(value) ? values.filter((each) => each !== value) : [...values, value]).join(",");
}

/**
 * The times a span means, in the viewer's own days: a word of SPANS, or "2026-11-01..2026-11-07" with either side open.
 * Both null for a text that means nothing.
 */
export function timesOf(span, now = new Date()) {
  const today = new Date(now.getFullYear(), now.getMonth(), now.getDate());
  if (Object.hasOwn(SPANS, span)) return { from: shifted(today, -SPANS[span]).toISOString(), until: null };
  const [from, until] = (/^([\d-]*)\.\.([\d-]*)$/.exec(span) ?? []).slice(1).map(dayOf);
  return { from: from?.toISOString() ?? null, until: until ? shifted(until, 1).toISOString() : null };
}

// Not by adding milliseconds: a day on which the clock is changed is shorter or longer.
const shifted = (day, days) => new Date(day.getFullYear(), day.getMonth(), day.getDate() + days);

function dayOf(text) {
  const [, year, month, day] = /^(\d{4})-(\d\d)-(\d\d)$/.exec(text ?? "") ?? [];
  if (!year) return null;
  const date = new Date(Number(year), Number(month) - 1, Number(day));
  return date.getMonth() === Number(month) - 1 ? date : null;
}

/** The filter as the API's parameters; lists stay lists. */
export function asked(filter, project, now = new Date()) {
  const query = { project, q: filter.q };
  for (const name of LISTS) query[name] = valuesOf(filter[name]);
  for (const name of ["received", "captured"]) {
    const { from, until } = timesOf(filter[name] ?? "", now);
    query[`${name}_from`] = from;
    query[`${name}_until`] = until;
  }
  return query;
}

/** The same as a body of the API: what lets everything through is left out. */
export function askedBody(filter, project, now = new Date()) {
  const given = Object.entries(asked(filter, project, now)).filter(([, value]) => value && value.length !== 0);
  return Object.fromEntries(given);
}
