// The demo panel: sends presets and switches as JSON.
"use strict";

const said = document.getElementById("said");
const form = document.getElementById("switches");

async function apply(change) {
  const answer = await fetch("/_demo/quirks", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ portal: form.dataset.portal, ...change }),
  });
  if (answer.ok) return location.reload();
  said.className = "notice bad";
  said.textContent = (await answer.json()).error;
}

const value = (input) => {
  if (input.dataset.kind === "flag") return input.checked;
  return input.dataset.kind === "number" ? Number(input.value) : input.value;
};

for (const button of document.querySelectorAll("[data-preset]")) {
  button.addEventListener("click", () => apply({ preset: button.dataset.preset }));
}
document.getElementById("unlock").addEventListener("click", async () => {
  const answer = await fetch("/_demo/unlock", { method: "POST", headers: { "Content-Type": "application/json" }, body: "{}" });
  said.textContent = answer.ok ? "All accounts are unlocked." : "The accounts could not be unlocked.";
});
form.addEventListener("submit", (event) => {
  event.preventDefault();
  const change = { submit: {} };
  for (const input of form.querySelectorAll("[data-kind]")) change[input.name] = value(input);
  for (const input of form.querySelectorAll("[data-odds]")) change.submit[input.dataset.odds] = Number(input.value);
  apply(change);
});
