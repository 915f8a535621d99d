// The legend of the map: every mark with its words.

import { type Layer, looks, type Pattern, provenance } from "./colours.ts";
import { localTime, say, utc, words } from "./house.ts";
import type { NetworkInfo, State } from "./state.ts";

/** What lies over the colours of the roads, and can be taken off. */
export const OVERLAYS = {
  measures: say("measures", "措施"),
  tasks: say("tasks", "任务"),
  incidents: say("incidents", "事件"),
  stations: say("stations", "气象站"),
};
export type Overlay = keyof typeof OVERLAYS;

/** A swatch of a class of the layer shown. */
export function swatch(colour: string, pattern: Pattern): HTMLElement {
  const made = document.createElement("i");
  made.style.backgroundColor = colour;
  if (pattern) made.className = `pattern-${pattern}`;
  return made;
}

function line(mark: HTMLElement | string, label: string, kind = ""): HTMLElement {
  const row = document.createElement("span");
  row.append(mark, label);
  if (kind) row.className = kind;
  return row;
}

function mark(kind: string): HTMLElement {
  const made = document.createElement("i");
  made.className = `mark-${kind}`;
  return made;
}

export function legend(
  state: State,
  network: NetworkInfo,
  layer: Layer,
  lead: number,
  shown: Set<Overlay>,
  highlighted: boolean,
): HTMLElement[] {
  const rows = looks(network, layer).map((look) => line(swatch(look.colour, look.pattern), look.words));
  rows.push(line(swatch("#8a9499", ""), say("grey: nothing computed", "灰色：无计算结果")));
  const held = state.measures.filter((m) => m.restrictive && m.state !== "awaiting_second");
  const going = held.filter((m) => m.state === "removal_pending").length;
  if (shown.has("measures")) {
    const many = held.length - going;
    rows.push(
      line(mark("measure"), say(`restriction ordered or in force (${many})`, `限制性措施（${many}）`)),
    );
    if (going) {
      rows.push(line(mark("removal"), say(`removal to be verified (${going})`, `待核实撤除（${going}）`)));
    }
  }
  if (shown.has("tasks")) {
    rows.push(
      line(mark("task"), say(`open task (${state.tasks.length})`, `未结任务（${state.tasks.length}）`)),
    );
  }
  if (highlighted) rows.push(line(mark("subject"), say("what this page is about", "本页所涉路段")));
  if (state.said.length) {
    const until = state.overrides.map((o) => o.until).filter(Boolean).sort()[0];
    const end = until ? `, ${say("first ends", "最早至")} ${localTime(until, false)}` : "";
    const said = line(
      mark("said"),
      say("said on the spot, beats the model", "现场认定，优先于模式") + ` (${state.overrides.length}${end})`,
    );
    if (until) said.title = utc(until);
    rows.push(said);
  }
  if (shown.has("incidents")) rows.push(line("▲ ", `${say("incident", "事件")} (${state.incidents.length})`));
  if (shown.has("stations") && state.stations.length) {
    const newest = state.stations.map((s) => s.at).sort().at(-1) ?? "";
    const told = say("weather station, air °C at", "气象站，气温°C，观测于");
    const seen = line("○ ", `${told} ${localTime(newest, false)}`);
    seen.title = utc(newest);
    rows.push(seen);
  }
  const from = line("", provenance(state, lead), "soft");
  from.title = `${utc(state.at ?? state.now)} · ${words(state.source)}`;
  return [...rows, from];
}
