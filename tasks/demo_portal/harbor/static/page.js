// What every view draws with: elements, the frame, the banner, and requests whose trouble becomes a banner.
const app = document.getElementById("app");
const strip = el("p", { id: "banner", role: "status", hidden: true });
const stage = el("main", { "aria-busy": "true" });
const who = el("span", {});

export const look = { drift: [] };

/** One element. Text only: nothing that a person typed can become markup. */
export function el(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== undefined) made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

app.append(
  el("header", {}, el("img", { src: "/harbor/static/buoy.svg", alt: "" }), el("strong", {}, "Harbor Fiber Cooperative"), who),
  stage,
);

/** Who is signed in, and how the page looks today. */
export function frame(session) {
  frame.signedIn = session !== null;
  look.drift = session?.drift ?? [];
  who.replaceChildren();
  if (session) who.append("Crew: ", el("b", { "data-user": session.user }, session.user));
}
frame.signedIn = false;

export function main(...children) {
  stage.replaceChildren(strip, ...children);
  stage.setAttribute("aria-busy", "false");
}

/** Before another view is drawn. The sign-in keeps the banner that says why one is there. */
export function reset(keepBanner) {
  if (!keepBanner) clear();
  stage.replaceChildren(strip);
  stage.setAttribute("aria-busy", "true");
}

export function clear() {
  strip.hidden = true;
  delete strip.dataset.code;
}

export function banner(code, text) {
  if (!strip.isConnected) stage.prepend(strip);
  strip.dataset.code = code;
  strip.textContent = text;
  strip.hidden = false;
}

/** One request; `{ok, status, body}`. Trouble shows as a banner, a lost session leads to the sign-in and back. */
export async function api(method, path, body, { signingIn = false, quiet = false } = {}) {
  let response;
  try {
    response = await fetch(`/harbor/api/${path}`, {
      method,
      headers: body === undefined || body instanceof FormData ? {} : { "Content-Type": "application/json" },
      body: body === undefined || body instanceof FormData ? body : JSON.stringify(body),
    });
  } catch {
    if (!quiet) banner("offline", "No answer from the cooperative. Try again in a moment.");
    return { ok: false, status: 0, body: { code: "offline" } };
  }
  const answer = await response.json().catch(() => ({ code: "error", message: "The answer could not be read." }));
  if (response.ok) return { ok: true, status: response.status, body: answer };
  if (response.status === 401 && !signingIn) signedOut(answer.message);
  else if (!quiet) banner(answer.code ?? "error", answer.message ?? "Something went wrong on our side.");
  return { ok: false, status: response.status, body: answer };
}

function signedOut(text) {
  const back = location.hash;
  const before = frame.signedIn;
  frame(null);
  if (back.startsWith("#/sign-in")) return;
  location.hash = `#/sign-in?back=${encodeURIComponent(back)}`;
  if (before) banner("signed-out", "You have been signed out. Sign in to go on.");
  else clear();
}
