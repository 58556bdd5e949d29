// One picture, a photo or a screenshot: shown when it is decoded, and said where it cannot be had.

import { ApiProblem } from "../../api.js";
import { fill, h, setAttr } from "../../dom.js";
import { icon } from "../../icons.js";

const AGAIN_MS = [1000, 2000, 4000, 8000, 15_000]; // how long until one that could not be had is asked for again
const CUT = 2; // times that bytes which are no picture pass for an answer that was cut short
const MISSING = { gone: "No longer kept", passing: "Could not be loaded. Trying again…", broken: "Cannot be shown" };

/**
 * An <img> that is put in place once it is decoded: the old picture stays until then, so nothing flickers. Where the new one cannot
 * be had the old one goes, as it would pass for what is there now; what may come yet is tried until it is there.
 */
export class Picture {
  #wanted = null;
  #again = 0;

  constructor({ api, alt, className = "" }) {
    this.api = api;
    this.alt = alt;
    this.element = h("span", { class: `picture ${className}` });
  }

  show(path) {
    if (path === this.#wanted) return;
    this.#wanted = path;
    clearTimeout(this.#again);
    if (path) this.#load(path, 0);
    else this.#put(icon("camera"), null);
  }

  async #load(path, tries) {
    const { image, missing } = await this.#decoded(path, tries);
    if (path !== this.#wanted) return;
    if (image) return this.#put(image, null);
    if (this.element.dataset.missing !== missing) this.#put([icon("camera"), h("span", { class: "faint" }, MISSING[missing])], missing);
    if (missing !== "passing") return;
    this.#again = setTimeout(() => this.#retry(path, tries + 1), AGAIN_MS[Math.min(tries, AGAIN_MS.length - 1)]);
  }

  #retry(path, tries) {
    if (this.element.isConnected) this.#load(path, tries);
    else this.#wanted = null; // nobody looks; whoever shows it again asks again
  }

  #put(content, missing) {
    fill(this.element, content);
    setAttr(this.element, "data-missing", missing);
    setAttr(this.element, "title", missing && MISSING[missing]);
    // The name of the button it is in hides what it says.
    const button = this.element.closest("button");
    if (button) setAttr(button, "aria-description", missing && MISSING[missing]);
  }

  /** {image}, or why there is none as {missing}. */
  async #decoded(path, tries) {
    let source = null;
    try {
      source = await this.api.image(path);
      if (source === null) return { missing: "broken" };
      const image = h("img", { src: source, alt: this.alt, decoding: "async", draggable: "false" });
      await image.decode();
      return { image };
    } catch (problem) {
      // An <img> does not tell what was answered.
      const refusal = problem instanceof ApiProblem ? problem : await this.api.refusal(path);
      return { missing: refusal ? (refusal.passing ? "passing" : "gone") : tries < CUT ? "passing" : "broken" };
    } finally {
      // A decoded picture needs its bytes no more: kept, those of every run that was watched would stay in memory.
      if (source?.startsWith("blob:")) URL.revokeObjectURL(source);
    }
  }
}
