// Renews the counts every two seconds while somebody looks.
"use strict";

async function renew() {
  if (document.hidden) return;
  try {
    const text = await (await fetch(location.href)).text();
    const fresh = new DOMParser().parseFromString(text, "text/html").getElementById("live");
    if (fresh) document.getElementById("live").replaceWith(fresh);
  } catch {
    // The portal is away for a moment; the next round tries again.
  }
}

setInterval(renew, 2000);
