// The sign-in page: e-mail and password, or the code of a one-time link (/sign-in#code), which is posted at once.

import { apiOf } from "./api.js";
import { mark } from "./icons.js";
import { restoreTheme } from "./theme.js";

restoreTheme();
const api = apiOf();
const form = document.getElementById("form");
const inputs = document.getElementById("inputs");
const message = document.getElementById("message");
document.getElementById("brand").prepend(mark());

/** Where to go after signing in: a path of this site that was asked for, never another site. */
function destination() {
  const next = new URLSearchParams(location.search).get("next") ?? "/";
  const url = new URL(next, location.origin);
  return url.origin === location.origin ? url.pathname + url.search : "/";
}

function say(text, tone) {
  message.hidden = false;
  message.dataset.tone = tone;
  message.textContent = text;
}

async function signIn(credentials, refusal) {
  inputs.disabled = true;
  message.hidden = true;
  try {
    await api.send("POST", "/api/session", credentials, { csrf: false });
    location.replace(destination());
  } catch (problem) {
    inputs.disabled = false;
    const refused = problem.status === 401;
    say(refused ? refusal : problem.message, "bad");
    // A server that was busy has judged nothing: what was typed may be sent again as it is.
    if (refused) form.elements.password.value = "";
    form.elements[form.elements.email.value ? "password" : "email"].focus();
  }
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const { email, password } = form.elements;
  signIn({ email: email.value, password: password.value }, "E-mail and password do not match. Please try again.");
});

// Until here the form is disabled: sent without this script, it would put the password into the address.
inputs.disabled = false;
form.elements.email.focus();

const code = decodeURIComponent(location.hash.slice(1));
if (code) {
  // Out of the address bar and the history before anything else can read it.
  history.replaceState(null, "", location.pathname + location.search);
  signIn({ code }, "This link has been used already, or is too old. Sign in with e-mail and password, or ask for a new link.");
  say("Signing you in…", "mute");
}
