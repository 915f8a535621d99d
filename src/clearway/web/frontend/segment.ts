// One road segment: what it was, what it will be, why, what is in force and what is proposed.

import uPlot from "uplot";
import { swatch } from "./legend.ts";
import { looks } from "./colours.ts";
import { announce, getJson, localTime, say, timeTag, utc, type Words, words, zone } from "./house.ts";
import { panelOf } from "./points.ts";
import { loadNetwork } from "./state.ts";

interface Linked {
  id: string;
  kind: string;
  headline: Words;
  state_label?: Words;
}

interface Segment {
  segment: number;
  corridor: { id: string; label: Words } | null;
  deck: string;
  length_m: number;
  km?: number | null;
  times: string[];
  now_index: number;
  series: Record<string, (number | null)[]>;
  source: Words;
  why: Words[];
  in_force: Linked[];
  proposed: Linked[];
  overrides: Linked[];
  tasks: Linked[];
  levels:
    (Linked & { level: number; confidence: number | null; starts: string | null; ends: string | null })[];
  last_treated: { at: string; action: string | null; rate_g_m2: number | null; task: string } | null;
}

type Line = [name: string, label: string, light: string, dark: string, dash?: number[]];

const CHARTS: [title: string, unit: string, lines: Line[]][] = [
  [say("Surface temperature °C, 10–90 %", "路面温度 °C，10–90%"), "°C", [
    ["rst_c", "°C", "#b34f00", "#f58b3c"],
    ["rst_p10_c", "10 %", "#1668b8", "#5aa5ee", [4, 3]],
    ["rst_p90_c", "90 %", "#b3121b", "#ff6b6b", [4, 3]],
  ]],
  [say("Water, snow, ice, frost mm", "水、雪、冰、霜 mm"), "mm", [
    ["water_mm", say("water", "水"), "#1668b8", "#5aa5ee"],
    ["snow_mm", say("snow", "雪"), "#6b3fc9", "#b9a6f0", [6, 3]],
    ["ice_mm", say("ice", "冰"), "#b3121b", "#ff6b6b", [2, 3]],
    ["frost_mm", say("frost", "霜"), "#b34f00", "#f58b3c", [8, 2, 2, 2]],
  ]],
  [say("Friction, its 10 % case, confidence", "摩擦系数、10%情形、可信度"), "", [
    ["friction", say("friction", "摩擦系数"), "#2f6d40", "#7cc47f"],
    ["friction_p10", "10 %", "#2f6d40", "#7cc47f", [4, 3]],
    ["confidence", say("confidence", "可信度"), "#4f5f67", "#a3b3bb", [2, 3]],
  ]],
];

const HEADS: Record<string, string> = {
  rst_c: say("surface °C", "路面 °C"),
  rst_p10_c: say("°C, 10 %", "°C，10%"),
  rst_p90_c: say("°C, 90 %", "°C，90%"),
  water_mm: say("water mm", "水 mm"),
  snow_mm: say("snow mm", "雪 mm"),
  ice_mm: say("ice mm", "冰 mm"),
  frost_mm: say("frost mm", "霜 mm"),
  friction_p10: say("friction, 10 %", "摩擦系数，10%"),
};

const DECKS: Record<string, string> = {
  ground: say("on the ground", "路基"),
  bridge: say("bridge", "桥梁"),
  possible_bridge: say("possibly a bridge", "可能为桥梁"),
  tunnel: say("tunnel", "隧道"),
};

function list(title: string, items: { href: string; text: string; title?: string }[]): HTMLElement {
  const box = document.createElement("section");
  const head = document.createElement("h3");
  head.textContent = title;
  const ul = document.createElement("ul");
  ul.className = "plain";
  for (const item of items) {
    const li = document.createElement("li");
    const link = Object.assign(document.createElement("a"), { href: item.href, textContent: item.text });
    if (item.title) link.title = item.title;
    li.append(link);
    ul.append(li);
  }
  box.append(head, ul);
  return box;
}

const shown = (value: number | null | undefined) =>
  value === null || value === undefined ? "–" : String(Math.round(value * 100) / 100).replace("-", "−");

function span(values: (number | null)[]): string {
  const known = values.filter((v): v is number => v !== null);
  return known.length ? `${shown(Math.min(...known))} … ${shown(Math.max(...known))}` : "–";
}

/** Round bounds around what is drawn, so that both ends of the axis can be read. */
function bounds(_: uPlot, low: number | null, high: number | null): [number, number] {
  if (low === null || high === null) return [0, 1];
  const step = high - low > 4 ? 2 : high - low > 1 ? 1 : 0.1;
  const from = Math.floor(low / step) * step;
  return [from, Math.max(Math.ceil(high / step) * step, from + step)];
}

function chart(box: HTMLElement, data: Segment, title: string, unit: string, lines: Line[]): void {
  const kept = lines.filter(([name]) => data.series[name]);
  if (!kept.length) return;
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  const ink = getComputedStyle(document.body).color;
  const xs = data.times.map((t) => Date.parse(t) / 1000);
  const now = xs[data.now_index];
  const holder = document.createElement("figure");
  const caption = document.createElement("figcaption");
  caption.textContent = title;
  const plot = document.createElement("div");
  plot.setAttribute("role", "img");
  const sums = kept.map(([name, label]) => `${label} ${span(data.series[name])}`).join("; ");
  plot.setAttribute("aria-label", `${title}: ${sums}`);
  holder.append(caption, plot);
  box.append(holder);
  const axis = { stroke: ink, grid: { stroke: "rgba(128,128,128,.25)", width: 1 } };
  const hour = (s: number) => localTime(new Date(s * 1000).toISOString(), false);
  const width = () => Math.max(240, holder.clientWidth || box.clientWidth - 24);
  const drawn = new uPlot(
    {
      width: width(),
      height: 130,
      tzDate: (s) => uPlot.tzDate(new Date(s * 1e3), zone),
      series: [
        { value: (_, s) => (s === null ? "–" : localTime(new Date(s * 1000).toISOString())) },
        ...kept.map(([, label, light, night, dash]): uPlot.Series => ({
          label,
          stroke: dark ? night : light,
          width: 1.8,
          dash,
          points: { show: false },
          value: (_, v) => shown(v),
        })),
      ],
      scales: { y: { range: bounds } },
      axes: [{ ...axis, values: (_, at) => at.map(hour), space: 60 }, {
        ...axis,
        size: 58,
        splits: (_u, _a, low, high) => [low, (low + high) / 2, high],
        values: (_, at) => at.map((v) => unit ? `${shown(v)} ${unit}` : shown(v)),
      }],
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
    [xs, ...kept.map(([name]) => data.series[name])] as uPlot.AlignedData,
    plot,
  );
  // A phone is turned, a window is drawn narrower: the curve follows.
  new ResizeObserver(() => drawn.width !== width() && drawn.setSize({ width: width(), height: 130 })).observe(
    holder,
  );
}

function table(data: Segment): HTMLElement {
  const box = document.createElement("details");
  const summary = document.createElement("summary");
  summary.textContent = say("The numbers, every third hour", "数值表（每3小时）");
  const made = document.createElement("table");
  made.className = "tight";
  const lines = CHARTS.flatMap(([, , all]) => all).filter(([name]) => data.series[name]);
  const head = made.createTHead().insertRow();
  for (const label of [say("time", "时间"), ...lines.map(([name, told]) => HEADS[name] ?? told)]) {
    head.append(Object.assign(document.createElement("th"), { textContent: label, scope: "col" }));
  }
  const body = made.createTBody();
  data.times.forEach((time, i) => {
    if ((i - data.now_index) % 3) return;
    const row = body.insertRow();
    row.insertCell().append(timeTag(time), i === data.now_index ? ` (${say("now", "当前")})` : "");
    for (const [name] of lines) row.insertCell().textContent = shown(data.series[name][i]);
  });
  const scroll = document.createElement("div");
  scroll.className = "scroll";
  scroll.tabIndex = 0;
  scroll.setAttribute("role", "region");
  scroll.setAttribute("aria-label", summary.textContent);
  scroll.append(made);
  box.append(summary, scroll);
  return box;
}

/** The class at the time shown in colour and words, with its numbers, their range, time and source. */
function colourNow(
  data: Segment,
  classes: { colour: string; words: string; pattern: "" | "dashes" | "dots" | "sparse" }[],
  conditions: { code: number }[],
): HTMLElement {
  const box = document.createElement("p");
  box.className = "segment-now";
  const value = (name: string) => data.series[name]?.[data.now_index] ?? null;
  const look = classes[conditions.findIndex((c) => c.code === value("condition"))];
  if (!look) {
    box.textContent = say("Nothing was computed here for this time.", "该时刻此处无计算结果。");
    return box;
  }
  const told = document.createElement("strong");
  told.textContent = ` ${look.words}`;
  const percent = (name: string) => value(name) === null ? "–" : `${Math.round(100 * Number(value(name)))} %`;
  const rows = [
    `${say("surface", "路面")} ${shown(value("rst_c"))} °C (10–90 %: ${shown(value("rst_p10_c"))} … ${
      shown(value("rst_p90_c"))
    })`,
    `${say("friction", "摩擦系数")} ${shown(value("friction"))} (${
      say("one case in ten below", "十分之一情形低于")
    } ${shown(value("friction_p10"))})`,
    `${say("chance of slippery", "湿滑概率")} ${percent("p_slippery")} · ${say("confidence", "可信度")} ${
      percent("confidence")
    }`,
  ];
  const soft = document.createElement("span");
  soft.className = "small soft";
  const source = words(data.source);
  const model = source.split(/[;；]/)[0];
  const from = Object.assign(document.createElement("span"), { title: source, textContent: model });
  soft.append(timeTag(data.times[data.now_index]), " · ", from);
  const lines = rows.flatMap((row) => [document.createElement("br"), row]);
  box.append(swatch(look.colour, look.pattern), told, ...lines, document.createElement("br"), soft);
  return box;
}

async function load(segment: number, at: string): Promise<Segment> {
  return await getJson<Segment>(`/console/segment/${segment}${at ? `?at=${encodeURIComponent(at)}` : ""}`);
}

function fill(panel: HTMLElement, data: Segment): void {
  if (data.times.length) {
    for (const [title, unit, lines] of CHARTS) {
      chart(panel, data, title, unit, lines);
    }
  } else {
    panel.append(Object.assign(document.createElement("p"), {
      textContent: say("Nothing was computed for this time.", "该时刻无计算结果。"),
    }));
  }
  if (data.times.length) panel.append(table(data));
}

/** The charts of a segment in place, on a road's own page. */
export async function showSegment(host: HTMLElement, segment: number, at: string): Promise<void> {
  const data = await load(segment, at);
  const panel = document.createElement("div");
  panel.className = "segment-charts";
  host.replaceChildren(panel);
  fill(panel, data);
  host.dataset.ready = "yes";
}

/** The panel that opens beside the map; Esc closes it and the focus goes back. */
export async function openSegment(host: HTMLElement, segment: number, at: string): Promise<void> {
  const [data, network] = await Promise.all([load(segment, at), loadNetwork()]);
  const name = data.corridor ? words(data.corridor.label) : say("Unnamed road", "未命名道路");
  const panel = panelOf(host, `${say("Road segment", "路段")}: ${name}`);
  panel.dataset.segment = String(segment);
  const title = document.createElement("h2");
  title.textContent = name;
  const facts = document.createElement("p");
  facts.className = "small soft";
  const km = data.km === null || data.km === undefined ? "" : `K${data.km} · `;
  facts.textContent = `${km}${Math.round(data.length_m)} m · ${DECKS[data.deck] ?? data.deck}`;
  panel.append(title, facts, colourNow(data, looks(network, "condition"), network.conditions));
  const why = document.createElement("section");
  const head = Object.assign(document.createElement("h3"), {
    textContent: say("Why it has its colour", "为何显示此颜色"),
  });
  why.append(head);
  if (data.why.length) {
    const list = document.createElement("ul");
    list.append(
      ...data.why.map((line) => Object.assign(document.createElement("li"), { textContent: words(line) })),
    );
    why.append(list);
  } else {
    why.append(Object.assign(document.createElement("p"), {
      className: "soft",
      textContent: say(
        "The full balance is kept for the last computation only; the curves below are kept.",
        "完整收支仅保留最近一次计算；以下曲线为当时保存值。",
      ),
    }));
  }
  panel.append(why);
  fill(panel, data);
  const then = at ? `?at=${encodeURIComponent(at)}` : "";
  const linked = (title: string, rows: Linked[]) => {
    if (!rows.length) return;
    const items = rows.map((r) => ({
      href: r.kind === "proposal" ? `/console/inbox/${r.id}${then}` : `/console/record/${r.id}${then}`,
      text: `${words(r.headline)}${r.state_label ? ` (${words(r.state_label)})` : ""}`,
    }));
    panel.append(list(title, items));
  };
  linked(say("Warning levels here", "此处预警级别"), data.levels);
  linked(say("In force", "执行中"), data.in_force);
  linked(say("Proposed", "建议"), data.proposed);
  linked(say("Said on the spot", "现场认定"), data.overrides);
  linked(say("Tasks", "任务"), data.tasks);
  if (data.last_treated) {
    const { at: done, rate_g_m2: rate, task } = data.last_treated;
    const text = `${localTime(done)}${rate ? ` · ${rate} g/m²` : ""}`;
    panel.append(
      list(say("Last treated", "最近处置"), [{
        href: `/console/record/${task}${then}`,
        text,
        title: utc(done),
      }]),
    );
  }
  if (data.corridor) {
    const more = {
      href: `/console/road/${data.corridor.id}${then}`,
      text: say("All about this road", "该道路全部信息"),
    };
    panel.append(list(say("More", "更多"), [more]));
  }
  panel.focus();
  announce(`${say("Road segment", "路段")}: ${name}`);
}
