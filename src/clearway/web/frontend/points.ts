// A weather station on the map: its readings with time and what quality control says.

import { announce, say, timeTag, type Words, words } from "./house.ts";
import type { Station } from "./state.ts";

const QUANTITIES: Record<string, [string, string]> = {
  air_temperature_c: [say("air temperature", "气温"), "°C"],
  dew_point_c: [say("dew point", "露点"), "°C"],
  rst_c: [say("surface temperature", "路面温度"), "°C"],
  precipitation_mm: [say("precipitation in the hour", "小时降水"), "mm"],
  wind_speed_ms: [say("wind", "风速"), "m/s"],
  visibility_m: [say("visibility", "能见度"), "m"],
};

function checks(flags: Words[]): string {
  return flags.length ? flags.map(words).join(", ") : say("passed all checks", "通过全部质检");
}

/** A panel of the map that Esc closes; the focus goes back to where it was. */
export function panelOf(host: HTMLElement, label: string): HTMLElement {
  const before = document.activeElement as HTMLElement | null;
  host.querySelector(".segment-panel")?.remove();
  const panel = document.createElement("section");
  panel.className = "segment-panel";
  panel.setAttribute("aria-label", label);
  panel.tabIndex = -1;
  const close = Object.assign(document.createElement("button"), {
    type: "button",
    className: "quiet",
    textContent: say("Close (Esc)", "关闭 (Esc)"),
  });
  const away = () => {
    panel.remove();
    before?.focus?.();
  };
  close.addEventListener("click", away);
  panel.addEventListener("keydown", (event) => event.key === "Escape" && away());
  panel.append(close);
  host.append(panel);
  return panel;
}

export function openStation(host: HTMLElement, station: Station): void {
  const name = words(station.label);
  const panel = panelOf(host, `${say("Weather station", "气象站")}: ${name}`);
  panel.dataset.station = station.id;
  const title = document.createElement("h2");
  title.textContent = name;
  const list = document.createElement("dl");
  list.className = "facts";
  for (const [key, reading] of Object.entries(station.values)) {
    const [label, unit] = QUANTITIES[key] ?? [key, ""];
    const value = reading.value === null
      ? say("missing", "缺测")
      : `${reading.value.toFixed(1).replace("-", "−")} ${unit}`;
    const term = Object.assign(document.createElement("dt"), { textContent: label });
    const told = document.createElement("dd");
    const soft = Object.assign(document.createElement("span"), { className: "small soft" });
    soft.append(" ", timeTag(reading.at), ` · ${checks(reading.flags)}`);
    told.append(value, soft);
    list.append(term, told);
  }
  panel.append(title, list);
  panel.focus();
  announce(name);
}
