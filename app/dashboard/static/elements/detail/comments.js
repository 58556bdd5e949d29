// What people say to each other about a record: plain text, newest first, live.

import { exact, visible } from "../../core.js";
import { fill, foreign, h, keyed, setText, time } from "../../dom.js";
import { personOf } from "../../words.js";

const PAGE = 50;

export class CommentsSection {
  #id = null;
  #items = [];
  #next = null;
  #first = true;

  constructor({ api }) {
    this.api = api;
    this.list = h("ol", { class: "comments" });
    this.tail = h("span", { class: "count" });
    this.news = h("p", { class: "visually-hidden", role: "status" });
    this.empty = h("p", { class: "faint" }, "Nobody has said anything yet.");
    this.more = h("button", { type: "button", class: "quiet", hidden: true, onClick: () => this.#older() }, "Earlier comments");
    this.trouble = h("p", { class: "answer", role: "alert", hidden: true });
    this.field = h("textarea", { name: "text", rows: 2, maxlength: 2000, required: true, placeholder: "Say something to everybody who looks at this record" });
    this.submit = h("button", { type: "submit" }, "Comment");
    this.form = h("form", { class: "comment-form", hidden: true, onSubmit: (event) => this.#say(event) },
      h("label", {}, h("span", { class: "visually-hidden" }, "Comment"), this.field), h("div", { class: "acts" }, this.submit));
    this.element = h("section", { class: "section", "aria-label": "Comments" }, h("h3", {}, "Comments", this.tail),
      this.form, this.trouble, this.news, this.list, this.empty, this.more);
    this.field.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) this.form.requestSubmit();
    });
  }

  update(record, _job, role) {
    this.#id = record.id;
    this.form.hidden = role === "viewer";
  }

  /** Read the newest page again; older ones stay, for nothing about a comment ever changes. */
  async load() {
    try {
      const page = await this.api.get(this.#url(), { limit: PAGE });
      this.#take(page);
      this.#trouble("");
    } catch (problem) {
      this.#trouble(`The comments could not be read: ${visible(problem.message, 200)}`);
    }
  }

  #url() {
    return `/api/records/${encodeURIComponent(this.#id)}/comments`;
  }

  #take({ items, next }) {
    const known = new Set(this.#items.map((item) => item.id));
    const fresh = items.filter((item) => !known.has(item.id));
    // What was taken away by hand goes; what is older than this page was not asked for.
    const since = items.at(-1)?.at ?? "";
    const older = next ? this.#items.filter((item) => Date.parse(item.at) < Date.parse(since)) : [];
    if (older.length === 0) this.#next = next;
    if (!this.#first && fresh.length > 0) setText(this.news, `New comment by ${personOf(fresh[0].author)}`);
    this.#first = false;
    this.#items = [...items, ...older];
    this.#draw();
  }

  async #older() {
    this.more.disabled = true;
    try {
      const { items, next } = await this.api.get(this.#url(), { limit: PAGE, cursor: this.#next });
      this.#items.push(...items);
      this.#next = next;
      this.#draw();
    } catch (problem) {
      this.#trouble(visible(problem.message, 200));
    } finally {
      this.more.disabled = false;
    }
  }

  #draw() {
    setText(this.tail, this.#items.length > 0 ? `${this.#items.length}${this.#next ? "+" : ""}` : "");
    this.empty.hidden = this.#items.length > 0;
    this.more.hidden = !this.#next;
    keyed(this.list, this.#items, { key: (item) => item.id, create: (item) => h("li", {},
      h("div", { class: "top" }, foreign(personOf(item.author), { class: "name", limit: 120 }), h("span", { class: "faint", title: exact(item.at) }, time(item.at))),
      h("p", { class: "text" }, foreign(item.text, { limit: 2000 }))) });
  }

  async #say(event) {
    event.preventDefault();
    const text = this.field.value.trim();
    if (!text || this.submit.disabled) return;
    this.submit.disabled = true;
    try {
      await this.api.send("POST", this.#url(), { text });
      this.field.value = "";
      this.#trouble("");
      await this.load();
    } catch (problem) {
      this.#trouble(problem.status === 403 ? "Not sent: your role in this project does not allow it." : `Not sent: ${visible(problem.message, 300)}`);
    } finally {
      this.submit.disabled = false;
    }
  }

  #trouble(text) {
    this.trouble.hidden = text === "";
    fill(this.trouble, text);
  }
}
