// Asks once more before an as-built is submitted.
"use strict";

document.querySelector("form[action$='/submit']")?.addEventListener("submit", (event) => {
  if (!confirm("Submit this as-built now?")) event.preventDefault();
});
