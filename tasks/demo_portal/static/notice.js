// Shows the notice of the day over the page until it is dismissed.
"use strict";

const box = document.getElementById("notice");
box.showModal();
box.querySelector("button").addEventListener("click", () => box.close());
