// Brings the parts marked data-fresh up to date every few seconds; a part in use is left alone.
// Plain on purpose: it works where the console's scripts were not built.

const body = document.body;
const every = Number(document.querySelector("[data-every]")?.dataset.every || 10) * 1000;
const lost = document.querySelector("[data-lost]");

function inUse(part) {
  if (part.contains(document.activeElement) && document.activeElement !== body) return true;
  return Array.from(part.querySelectorAll("input:not([type=hidden]), textarea")).some((f) =>
    f.type === "checkbox" ? f.checked !== f.defaultChecked : f.value !== f.defaultValue
  );
}

async function refresh() {
  if (document.hidden || body.dataset.at) return;
  try {
    const answer = await fetch(location.href, { headers: { accept: "text/html" }, credentials: "same-origin" });
    if (!answer.ok || answer.redirected) throw new Error(String(answer.status));
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const part of document.querySelectorAll("[data-fresh]")) {
      const other = fresh.querySelector(`[data-fresh="${part.dataset.fresh}"]`);
      if (!other || inUse(part) || other.innerHTML === part.innerHTML) continue;
      const open = Array.from(part.querySelectorAll("details"), (d) => d.open);
      part.replaceChildren(...other.childNodes);
      part.querySelectorAll("details").forEach((d, i) => (d.open = open[i] ?? d.open));
    }
    body.dataset.refreshed = String(Date.now());
    if (lost) lost.hidden = true;
  } catch {
    if (lost) lost.hidden = false;
  }
}

setInterval(refresh, every);
