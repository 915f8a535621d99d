// One road segment: what it was, what it will be, why, what is in force and what is proposed.

import uPlot from "uplot";
import { getJson, localTime, say, type Words, words } from "./house.ts";

interface Segment {
  segment: number;
  corridor: { id: string; label: Words } | null;
  deck: string;
  length_m: number;
  times: string[];
  now_index: number;
  series: Record<string, (number | null)[]>;
  source: string;
  why: Words[];
  in_force: { id: string; kind: string; headline: Words }[];
  proposed: { id: string; headline: Words }[];
  overrides: { id: string; headline: Words }[];
}

function list(title: string, items: { href: string; text: string }[]): HTMLElement {
  const box = document.createElement("section");
  const head = document.createElement("h3");
  head.textContent = title;
  const ul = document.createElement("ul");
  for (const item of items) {
    const li = document.createElement("li");
    const a = document.createElement("a");
    a.href = item.href;
    a.textContent = item.text;
    li.append(a);
    ul.append(li);
  }
  box.append(head, ul);
  return box;
}

function chart(box: HTMLElement, data: Segment, title: string, names: [string, string, string][]): void {
  const xs = data.times.map((t) => Date.parse(t) / 1000);
  const series: uPlot.Series[] = [{}];
  const rows: (number | null)[][] = [];
  for (const [name, label, colour] of names) {
    if (!data.series[name]) continue;
    series.push({ label, stroke: colour, width: 1.6, points: { show: false } });
    rows.push(data.series[name]);
  }
  const ink = getComputedStyle(document.body).color;
  const axis = { stroke: ink, grid: { stroke: "rgba(128,128,128,.25)", width: 1 } };
  const now = xs[data.now_index];
  const holder = document.createElement("figure");
  const caption = document.createElement("figcaption");
  caption.textContent = title;
  holder.append(caption);
  box.append(holder);
  new uPlot(
    {
      width: Math.max(260, box.clientWidth - 8),
      height: 130,
      series,
      axes: [axis, { ...axis, size: 40 }],
      cursor: { drag: { x: false, y: false } },
      hooks: {
        draw: [(u) => {
          const x = u.valToPos(now, "x", true);
          u.ctx.save();
          u.ctx.strokeStyle = ink;
          u.ctx.setLineDash([4, 4]);
          u.ctx.beginPath();
          u.ctx.moveTo(x, u.bbox.top);
          u.ctx.lineTo(x, u.bbox.top + u.bbox.height);
          u.ctx.stroke();
          u.ctx.restore();
        }],
      },
    },
    [xs, ...rows] as uPlot.AlignedData,
    holder,
  );
}

export async function openSegment(host: HTMLElement, segment: number, at: string): Promise<void> {
  const query = at ? `?at=${encodeURIComponent(at)}` : "";
  const data = await getJson<Segment>(`/console/segment/${segment}${query}`);
  host.querySelector(".segment-panel")?.remove();
  const panel = document.createElement("aside");
  panel.className = "segment-panel";
  panel.setAttribute("role", "dialog");
  panel.setAttribute("aria-label", say("Road segment", "路段"));
  const close = document.createElement("button");
  close.type = "button";
  close.textContent = say("Close (Esc)", "关闭 (Esc)");
  close.addEventListener("click", () => panel.remove());
  panel.addEventListener("keydown", (event) => event.key === "Escape" && panel.remove());
  const title = document.createElement("h2");
  title.textContent = data.corridor ? words(data.corridor.label) : say("Unnamed road", "未命名道路");
  const facts = document.createElement("p");
  facts.className = "small soft";
  facts.textContent = `${Math.round(data.length_m)} m · ${data.deck} · ${data.source} · ${
    localTime(data.times[data.now_index])
  }`;
  const why = document.createElement("ul");
  why.append(
    ...data.why.map((line) => Object.assign(document.createElement("li"), { textContent: words(line) })),
  );
  panel.append(close, title, facts, why);
  host.append(panel);
  chart(panel, data, say("Surface temperature °C (10–90 %)", "路面温度 °C（10–90%）"), [
    ["rst_c", "°C", "#d9660a"],
    ["rst_p10_c", "10 %", "#1668b8"],
    ["rst_p90_c", "90 %", "#c4161c"],
  ]);
  chart(panel, data, say("Water, snow, ice mm", "水、雪、冰 毫米"), [
    ["water_mm", say("water", "水"), "#2f7fc1"],
    ["snow_mm", say("snow", "雪"), "#9d86e0"],
    ["ice_mm", say("ice", "冰"), "#c4161c"],
  ]);
  chart(panel, data, say("Friction and confidence", "摩擦系数与可信度"), [
    ["friction", say("friction", "摩擦系数"), "#5b8f6a"],
    ["confidence", say("confidence", "可信度"), "#888888"],
  ]);
  const link = (kind: string, id: string) => `/console/record/${kind}/${id}`;
  if (data.in_force.length) {
    const items = data.in_force.map((r) => ({ href: link(r.kind, r.id), text: words(r.headline) }));
    panel.append(list(say("In force", "执行中"), items));
  }
  if (data.proposed.length) {
    const items = data.proposed.map((r) => ({ href: `/console/inbox/${r.id}`, text: words(r.headline) }));
    panel.append(list(say("Proposed", "建议"), items));
  }
  close.focus();
}
