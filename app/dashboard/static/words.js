// Sentences for codes that come from the API. Every lookup has a fallback that shows the code itself.

import { own } from "./core.js";

const ERROR_CLASSES = {
  transient: "Something went wrong on the way to the portal",
  portal_down: "The portal is not available",
  login_failed: "The portal refused the sign-in",
  validation_rejected: "The portal rejected the data",
  element_missing: "The portal’s page has changed",
  needs_human: "A person has to answer",
  duplicate: "The portal may have this record already",
  worker_crash: "The worker stopped several times at the same step",
  bug: "An unexpected problem",
};

const WAIT_REASONS = {
  media: "Photos are still on their way from the phone",
  media_overdue: "Announced photos have not come in time",
  hold: "An operator put this on hold",
  checks_pending: "Its photos are being checked",
  blocker: "An open blocker finding holds this record",
  defect: "An open blocker finding holds this record",
  defects: "An open blocker finding holds this record",
  paused: "An operator paused the portal",
  login: "The portal refused our sign-in; it goes on when that is mended",
  recipe_paused: "The portal’s page has changed for several jobs; it goes on when that is mended",
  portal_down: "The portal is not available; it is tried again",
  person: "Waiting for a person’s answer",
  slot: "Waiting for a free place at the portal",
  breaker: "The portal is having trouble; one job tries it first",
  time: "Waiting for its time",
  retry: "Waiting for the next attempt",
  backoff: "Waiting for the next attempt",
  question: "The portal asks something that only a person can answer",
  review: "The project wants the office’s approval first",
  sent_back: "The office sent the record back to its crew",
  approval: "The submission waits for a person’s approval",
  outcome_unknown: "It could not be proven whether the portal took the submission",
};

const OUTCOMES = {
  completed: { label: "Completed", tone: "good", icon: "check" },
  succeeded: { label: "Completed", tone: "good", icon: "check" },
  failed: { label: "Failed", tone: "bad", icon: "cross" },
  lost: { label: "Worker lost", tone: "warn", icon: "alert" },
  detached: { label: "Handed over", tone: "mute", icon: "retry" },
  parked: { label: "Parked for a person", tone: "warn", icon: "question" },
  cancelled: { label: "Cancelled", tone: "mute", icon: "stop" },
  fenced: { label: "Superseded", tone: "mute", icon: "stop" },
  superseded: { label: "Superseded", tone: "mute", icon: "stop" },
};

const SEVERITIES = {
  blocker: { label: "Blocker", tone: "bad", icon: "octagon" },
  major: { label: "Major", tone: "warn", icon: "alert" },
  minor: { label: "Minor", tone: "mute", icon: "flag" },
  info: { label: "Info", tone: "mute", icon: "info" },
};

const REVIEW_STATES = {
  received: { label: "Received", tone: "mute", icon: "inbox" },
  has_issues: { label: "Has issues", tone: "warn", icon: "flag" },
  edited: { label: "Edited", tone: "run", icon: "retry" },
  approved: { label: "Approved", tone: "good", icon: "check" },
  rejected: { label: "Rejected", tone: "bad", icon: "cross" },
};

// What a person, or somebody with psql, did: every action that the database keeps on record.
const ACTIONS = {
  "job.retry": "Retried", "job.run_again": "Ran it again", "job.hold": "Put on hold", "job.release": "Released", "job.cancel": "Cancelled",
  "job.outcome": "Said what the portal has", "job.reschedule": "Moved in the queue by hand",
  "queue.delete": "Deleted a queue row by hand", "queue.ended": "Ended a queue row by hand", "queue.truncate": "Emptied the queue by hand",
  "question.answer": "Answered a question", "defect.waive": "Waived a finding",
  "record.upload": "Uploaded the record", "record.correct": "Corrected the record", "record.approved": "Approved the record",
  "record.has_issues": "Sent the record back with issues", "record.rejected": "Rejected the record",
  "portal.pause": "Paused a portal", "portal.resume": "Resumed a portal", "portal.limit": "Changed a portal’s limits", "portal.breaker": "The breaker moved",
  "approval.require": "Changed whether submissions are approved", "review.require": "Changed whether records are reviewed first",
  "form.import": "Brought in a form", "design.import": "Brought in a design",
  "retention.set": "Changed how long something is kept",
};

/** A message as a sentence that others may follow. */
export const ended = (text) => (/[.!?…]$/.test(text) ? text : `${text}.`);

export const SEVERITY_ORDER = Object.freeze(["blocker", "major", "minor", "info"]);

export function humanize(code) {
  const words = String(code ?? "").replaceAll(/[._-]+/g, " ").trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** A portal is known by its code here: initials as initials, anything longer as words. */
export const portalName = (code) => (/^[a-z]{2,4}$/.test(code ?? "") ? code.toUpperCase() : humanize(code));

export const errorHeadline = (error) => own(ERROR_CLASSES, error?.class) ?? humanize(error?.class ?? "A problem");
export const waitSentence = (reason) => own(WAIT_REASONS, reason) ?? (reason ? humanize(reason) : "");
export const outcomeOf = (code) => own(OUTCOMES, code) ?? { label: humanize(code), tone: "mute", icon: "info" };
export const severityOf = (code) => own(SEVERITIES, code) ?? { label: humanize(code), tone: "mute", icon: "info" };
export const reviewOf = (code) => own(REVIEW_STATES, code) ?? { label: humanize(code), tone: "mute", icon: "info" };
export const actLabel = (action) => own(ACTIONS, action) ?? humanize(action);
export const reviewLabel = (code) => reviewOf(code).label;

/** Who did something, without the kind of the account. */
export const personOf = (actor) => String(actor ?? "").replace(/^(user|device):/, "");
