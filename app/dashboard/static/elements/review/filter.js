// The bar above the review table: a chip a state, the search, and a select for each further part of the filter. It only
// asks for another filter; who holds the table decides, and tells it what holds now.

import { count } from "../../core.js";
import { h, keyed, setText } from "../../dom.js";
import { isNarrowed, timesOf, toggled, valuesOf } from "../../filters.js";
import { icon } from "../../icons.js";
import { STATES } from "../../states.js";
import { portalName, reviewLabel } from "../../words.js";

const SETTLED = ["completed", "cancelled"];
const SEARCH_MS = 250;
// Said whole: two of them stand side by side, and a closed select shows nothing but its choice.
const since = (label) => [["", `${label} any time`], ["today", `${label} today`], ["7d", `${label} in 7 days`], ["30d", `${label} in 30 days`],
  ["90d", `${label} in 90 days`], ["..", `${label} between…`]];
const REVIEWS = ["received", "has_issues", "edited", "approved", "rejected"];
const CHOICES = {
  severity: { label: "Findings", options: [["", "Any findings"], ["blocker", "Blockers"], ["blocker,major", "Major or worse"],
    ["blocker,major,minor", "Minor or worse"], ["blocker,major,minor,info", "Some finding"], ["none", "No finding"]] },
  review: { label: "Review", options: [["", "Any review"], ...REVIEWS.map((state) => [state, reviewLabel(state)])] },
  portal: { label: "Portal", options: [["", "Any portal"]] },
  received: { label: "Received", options: since("Received"), days: true },
  captured: { label: "Captured", options: since("Captured"), days: true },
};

export class ReviewFilter {
  #ask;
  #filter = {};
  #counts = {};
  #searching = 0;
  #parts;

  /** `ask(changes)` is called with the parts that a person wants otherwise. */
  constructor(ask) {
    // What was typed a moment ago goes along: whatever is shown next would wipe it.
    this.#ask = (changes) => ask({ ...this.#typed(), ...changes });
    this.#parts = this.#build();
  }

  get element() {
    return this.#parts.element;
  }

  focusSearch() {
    this.#parts.search.focus();
    this.#parts.search.select();
  }

  leave() {
    this.#typed();
  }

  /** Portals to choose from, as the API lists them; one alone is no choice. */
  set portals(items) {
    const names = new Map(items.map((item) => [item.portal, item.name]));
    this.#parts.choices.portal.options = [["", "Any portal"], ...[...names].map(([key, name]) => [key, name || portalName(key)])];
    this.show(this.#filter, this.#counts);
  }

  /** What holds now. `counts`: records by state, for the chips. */
  show(filter, counts) {
    [this.#filter, this.#counts] = [filter, counts];
    const { search, choices, clear } = this.#parts;
    if (document.activeElement !== search && !this.#searching) search.value = filter.q ?? "";
    this.#showChips();
    for (const [name, choice] of Object.entries(choices)) this.#showChoice(name, choice);
    clear.hidden = !isNarrowed(filter);
  }

  #build() {
    const search = h("input", { type: "search", placeholder: "Search asset, serial, crew, text", "aria-label": "Search records", maxlength: 200 });
    search.addEventListener("input", () => this.#search());
    const chips = h("div", { class: "chips", role: "group", "aria-label": "Filter by state" });
    const choices = Object.fromEntries(Object.entries(CHOICES).map(([name, choice]) => [name, this.#buildChoice(name, choice)]));
    const clear = h("button", { type: "button", class: "quiet", onClick: () => this.clear() }, icon("close"), "Clear filters");
    const element = h("div", { class: "tools" }, chips,
      h("label", { class: "search" }, icon("search"), search, h("kbd", { "aria-hidden": "true" }, "/")),
      h("div", { class: "choices" }, Object.values(choices).map((choice) => choice.element), clear));
    return { element, search, chips, choices, clear };
  }

  clear() {
    this.#parts.search.value = "";
    this.#ask(Object.fromEntries(["q", "state", ...Object.keys(CHOICES)].map((name) => [name, ""])));
  }

  #buildChoice(name, { label, options, days }) {
    const select = h("select", { "aria-label": label, "data-part": name });
    const choice = { select, options, element: h("span", { class: "choice" }, select) };
    if (days) {
      choice.days = ["from", "until"].map((end) => h("input", { type: "date", "aria-label": `${label} ${end}`, hidden: true }));
      choice.element.append(...choice.days);
      for (const day of choice.days) day.addEventListener("change", () => this.#ask({ [name]: spanOf(choice.days) }));
    }
    select.addEventListener("change", () => this.#ask({ [name]: select.value }));
    return choice;
  }

  #showChoice(name, { select, options, days, element }) {
    const value = this.#filter[name] ?? "";
    const between = days && value.includes("..");
    // What stands in the address may be none of ours: it is shown as it is, and can be taken away.
    const shown = options.some(([key]) => key === value) || between ? options : [...options, [value, value]];
    keyed(select, shown, {
      key: ([key]) => key,
      create: ([key, label]) => h("option", { value: key }, label),
      update: (option, [, label]) => setText(option, label),
    });
    select.value = between ? ".." : value;
    select.toggleAttribute("data-chosen", value !== "");
    element.hidden = shown.length < 3 && value === "";
    for (const [at, day] of (days ?? []).entries()) {
      day.hidden = !between;
      if (between && document.activeElement !== day) day.value = value.split("..")[at] ?? "";
    }
  }

  #showChips() {
    const chosen = valuesOf(this.#filter.state);
    // Numbers of all records beside a list of some would be a lie.
    const counts = isNarrowed(this.#filter, ["state"]) ? {} : this.#counts;
    // The states where work ends grow for ever and are not counted; the others are there while they have records.
    const names = Object.keys(STATES).filter((name) => this.#counts[name] > 0 || chosen.includes(name) || SETTLED.includes(name));
    keyed(this.#parts.chips, ["", ...names], {
      key: (name) => name,
      create: (name) => {
        const word = name === "" ? h("span", {}, "All") : [icon(STATES[name].icon), h("span", {}, STATES[name].label)];
        const press = () => this.#ask({ state: name === "" ? "" : toggled(this.#filter.state, name) });
        const chip = h("button", { type: "button", class: "chip", onClick: press }, word, h("span", { class: "n" }));
        if (name) chip.dataset.tone = STATES[name].tone;
        return chip;
      },
      update: (chip, name) => {
        setText(chip.querySelector(".n"), counts[name] === undefined ? "" : count(counts[name]));
        chip.setAttribute("aria-pressed", name === "" ? chosen.length === 0 : chosen.includes(name));
      },
    });
  }

  #search() {
    clearTimeout(this.#searching);
    this.#searching = setTimeout(() => this.#ask({}), SEARCH_MS);
  }

  /** The search that has not been asked for yet, which is then no longer waited with. */
  #typed() {
    if (!this.#searching) return {};
    clearTimeout(this.#searching);
    this.#searching = 0;
    return { q: this.#parts.search.value.trim() };
  }
}

function spanOf(days) {
  const [from, until] = days.map((day) => day.value);
  const span = `${from}..${until}`;
  const { from: begins, until: ends } = timesOf(span);
  return begins || ends ? span : "..";
}

/** What an empty list says. */
export function emptyWords(filter, clear) {
  if (isNarrowed(filter)) {
    return [icon("search"), h("h2", {}, "Nothing matches"), h("p", {}, "No record fits this search and filter."),
      h("button", { type: "button", onClick: clear }, "Show all records")];
  }
  return [icon("inbox"), h("h2", {}, "No records yet"), h("p", {}, "They appear here by themselves, the moment a crew sends one."),
    h("p", { class: "hint" }, "To try it, run ", h("code", {}, "asbuilt demo"), ".")];
}
