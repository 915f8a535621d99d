// The composer shows what the words will look like while they are typed; without scripts a button does it.

import { announce, say } from "./house.ts";

const PAUSE_MS = 600;

export function mountComposer(): void {
  const form = document.querySelector<HTMLFormElement>("form[data-preview]");
  const place = document.getElementById("preview");
  if (!form || !place) return;
  let timer = 0;
  let asked = 0;
  const show = async () => {
    const mine = ++asked;
    const answer = await fetch(form.dataset.preview ?? "", {
      method: "POST",
      body: new FormData(form),
      credentials: "same-origin",
    });
    const text = await answer.text();
    if (mine !== asked) return;
    if (!answer.ok) throw new Error(answer.statusText);
    const open = place.querySelector("details")?.open ?? false;
    const fresh = new DOMParser().parseFromString(text, "text/html");
    place.replaceChildren(...Array.from(fresh.body.childNodes));
    const details = place.querySelector("details");
    if (details) details.open = open;
    place.classList.remove("old");
    place.dataset.shown = String(mine);
  };
  form.addEventListener("input", () => {
    clearTimeout(timer);
    place.classList.add("old");
    timer = setTimeout(() => {
      show().catch(() => announce(say("The preview could not be made", "无法生成预览")));
    }, PAUSE_MS);
  });
}
