// The job states as people see them: total, the same nine as app/jobs/states.py. The literal is strict JSON, so that a
// test can read it. `retry` is the label of the act a person has from that state, or null where the API refuses it.

import { own } from "./core.js";

const freeze = (map) => Object.freeze(Object.fromEntries(Object.entries(map).map(([k, v]) => [k, Object.freeze(v)])));

export const STATES = freeze({
  "awaiting_media": {
    "label": "Awaiting photos", "icon": "camera", "tone": "wait", "terminal": false, "retry": null,
    "meaning": "The record is stored. The job starts when its last photo has arrived."
  },
  "held": {
    "label": "Held", "icon": "hand", "tone": "warn", "terminal": false, "retry": null,
    "meaning": "The job waits until what holds it is solved."
  },
  "queued": {
    "label": "Queued", "icon": "queue", "tone": "wait", "terminal": false, "retry": null,
    "meaning": "The job is next in line for a free worker."
  },
  "processing": {
    "label": "Processing", "icon": "gear", "tone": "run", "terminal": false, "retry": null,
    "meaning": "The record is being entered into the portal."
  },
  "retrying": {
    "label": "Retrying", "icon": "retry", "tone": "warn", "terminal": false, "retry": "Retry now",
    "meaning": "The last attempt failed. The next one is scheduled."
  },
  "needs_input": {
    "label": "Needs a person", "icon": "question", "tone": "warn", "terminal": false, "retry": null,
    "meaning": "The job waits for an answer that only a person can give."
  },
  "completed": {
    "label": "Completed", "icon": "check", "tone": "good", "terminal": true, "retry": null,
    "meaning": "The portal has confirmed the submission."
  },
  "failed": {
    "label": "Failed", "icon": "cross", "tone": "bad", "terminal": true, "retry": "Retry",
    "meaning": "The job ended without a submission."
  },
  "cancelled": {
    "label": "Cancelled", "icon": "stop", "tone": "mute", "terminal": true, "retry": "Retry",
    "meaning": "A person cancelled the job. Nothing was submitted."
  }
});

export const STATE_NAMES = Object.freeze(Object.keys(STATES));

/** The words for a state. A state this page does not know (a newer server) is shown by its own name, never hidden. */
export function stateOf(name) {
  return own(STATES, name) ?? { label: humanize(name), icon: "question", tone: "mute", terminal: false, retry: null, meaning: "" };
}

function humanize(name) {
  const words = String(name ?? "unknown").replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}
