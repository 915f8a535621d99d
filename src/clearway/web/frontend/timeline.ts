// Past 48 h, now, next 48 h: drag to see any past state; "now" is one key away and never mistaken.

import { localTime, say } from "./house.ts";

interface TimelineProps {
  at: string;
  now: string;
  past_h?: number;
}

export function mountTimeline(element: HTMLElement, props: Record<string, unknown>): void {
  const { at, now, past_h: past = 48 } = props as unknown as TimelineProps;
  const box = document.createElement("div");
  box.className = "timeline";
  const range = document.createElement("input");
  range.type = "range";
  range.min = String(-past);
  range.max = "0";
  range.step = "1";
  range.value = at ? String(Math.round((Date.parse(at) - Date.parse(now)) / 3600e3)) : "0";
  range.setAttribute("aria-label", say("Time shown, hours before now", "显示时间（距当前小时数）"));
  const shown = document.createElement("output");
  const back = document.createElement("button");
  back.type = "button";
  back.textContent = say("Now (n)", "当前 (n)");
  const moment = () => new Date(Date.parse(now) + Number(range.value) * 3600e3).toISOString();
  const tell = () => {
    const past = Number(range.value) < 0;
    shown.textContent = past
      ? `${say("PAST", "历史")} · ${localTime(moment())} (${range.value} h)`
      : `${say("NOW", "当前")} · ${localTime(now)}`;
    document.body.classList.toggle("in-the-past", past);
  };
  range.addEventListener("input", tell);
  range.addEventListener("change", () => {
    const past = Number(range.value) < 0;
    dispatchEvent(new CustomEvent("cw:time", { detail: past ? moment() : "" }));
    const url = new URL(location.href);
    if (past) url.searchParams.set("at", moment());
    else url.searchParams.delete("at");
    history.replaceState(null, "", url);
  });
  const toNow = () => {
    range.value = "0";
    range.dispatchEvent(new Event("input"));
    range.dispatchEvent(new Event("change"));
  };
  back.addEventListener("click", toNow);
  addEventListener("cw:now", toNow);
  box.append(range, shown, back);
  element.replaceChildren(box);
  tell();
}
