// The situation map. Colour by column through one expression over a few hundred values, so that a new cycle
// repaints 50,000 segments without touching geometry.

import * as maplibre from "maplibre-gl";
import { columnColours, LABELS, type Layer, legendRows, PATTERNS, UNKNOWN } from "./colours.ts";
import { announce, localTime, say, words } from "./house.ts";
import { mapStyle } from "./mapstyle.ts";
import { openSegment, showSegment } from "./segment.ts";
import { loadNetwork, loadState, type NetworkInfo, type State, unpack } from "./state.ts";
import type { Moment } from "./timeline.ts";

maplibre.setWorkerUrl(`${location.origin}/static/dist/map-worker.js`);

interface MapProps {
  at?: string;
  corridors?: number[];
  pick?: boolean;
}

interface Feature {
  type: "Feature";
  geometry: { type: "Point"; coordinates: [number, number] };
  properties: Record<string, string>;
}

const AGAIN_MS = 1500;

export class SituationMap {
  private map!: maplibre.Map;
  private network!: NetworkInfo;
  private state!: State;
  private layer: Layer = "condition";
  private lead = 0;
  private legend = document.createElement("div");
  private stamp = document.createElement("p");
  private slider = document.createElement("input");
  private told = document.createElement("output");
  private withTasks = false;
  private marked = new Map<string, string>();
  private asked = 0;
  private later = 0;

  constructor(private readonly element: HTMLElement, private readonly props: MapProps) {}

  async start(): Promise<void> {
    [this.network, this.state] = await Promise.all([loadNetwork(), loadState(this.props.at ?? "")]);
    if (!this.network.zooms) throw new Error(say("this installation has no map tiles", "本安装没有地图瓦片"));
    const table = document.createElement("details");
    table.className = "map-table";
    const summary = document.createElement("summary");
    summary.textContent = say("The same as a table", "以表格查看");
    table.append(summary, ...Array.from(this.element.childNodes));
    const canvas = document.createElement("div");
    canvas.className = "map-canvas";
    this.stamp.className = "map-stamp";
    this.stamp.setAttribute("aria-hidden", "true");
    canvas.append(this.stamp);
    this.legend.className = "map-legend";
    this.element.classList.add("map-island");
    this.element.classList.remove("map");
    this.element.replaceChildren(this.controls(), canvas, this.legend);
    if (table.childElementCount > 1) this.element.append(table);
    this.map = new maplibre.Map({
      container: canvas,
      style: mapStyle(this.network),
      bounds: this.network.box,
      fitBoundsOptions: { padding: 12 },
      attributionControl: { customAttribution: this.network.attribution, compact: true },
      fadeDuration: 0,
      maxPitch: 0,
      dragRotate: false,
      locale: {
        "Map.Title": say("Map of road conditions", "路况地图"),
        "NavigationControl.ZoomIn": say("Zoom in", "放大"),
        "NavigationControl.ZoomOut": say("Zoom out", "缩小"),
        "AttributionControl.ToggleAttribution": say("Where the map is from", "地图来源"),
      },
    });
    this.map.touchZoomRotate.disableRotation();
    this.map.addControl(new maplibre.NavigationControl({ showCompass: false }), "top-right");
    this.map.on("click", (event) => this.open(event.point));
    this.map.getCanvas().addEventListener("keydown", (event) => {
      if (event.key === "Enter") this.open(this.map.project(this.map.getCenter()));
    });
    this.map.on("load", () => {
      this.paint();
      if (this.props.corridors?.length) this.zoomTo(this.props.corridors);
      this.map.once("idle", () => (this.element.dataset.ready = "yes"));
    });
    addEventListener("cw:time", (event) => void this.show((event as CustomEvent<Moment>).detail));
    addEventListener("cw:cycle", () => this.isNow() && this.again(0));
    addEventListener("cw:change", (event) => {
      const { kinds } = (event as CustomEvent<{ kinds: string[] }>).detail;
      const drawn = ["measure", "task", "incident", "situation", "override"];
      if (this.isNow() && kinds.some((kind) => drawn.includes(kind))) this.again(AGAIN_MS);
    });
  }

  private isNow(): boolean {
    return !this.props.at;
  }

  /** Load the present state soon; several wishes within the pause become one. */
  private again(pause: number): void {
    if (this.later) return;
    this.later = setTimeout(() => {
      this.later = 0;
      void this.show({ at: "", lead: this.lead }, true);
    }, pause);
  }

  private controls(): HTMLElement {
    const bar = document.createElement("form");
    bar.className = "map-controls";
    const select = document.createElement("select");
    select.setAttribute("aria-label", say("What the colours show", "颜色表示"));
    for (const name of Object.keys(LABELS) as Layer[]) {
      select.append(
        Object.assign(document.createElement("option"), { value: name, textContent: LABELS[name] }),
      );
    }
    select.addEventListener("change", () => {
      this.layer = select.value as Layer;
      this.paint();
    });
    Object.assign(this.slider, { type: "range", min: "0", max: "48", value: "0" });
    this.slider.setAttribute(
      "aria-label",
      say("Hours ahead of the time shown", "自所示时刻起的预报时效（小时）"),
    );
    this.slider.addEventListener("input", () => {
      this.lead = Number(this.slider.value);
      this.paint();
    });
    const tasks = document.createElement("label");
    const box = Object.assign(document.createElement("input"), { type: "checkbox", name: "tasks" });
    box.addEventListener("change", () => {
      this.withTasks = box.checked;
      this.paint();
    });
    tasks.append(box, ` ${say("show tasks", "显示任务")}`);
    bar.addEventListener("submit", (event) => event.preventDefault());
    bar.append(select, tasks, this.slider, this.told);
    return bar;
  }

  /** Show a moment: the state known then, at a lead. A newer wish overtakes an older answer. */
  async show(moment: Moment, anew = false): Promise<void> {
    const mine = ++this.asked;
    const other = anew || moment.at !== (this.props.at ?? "");
    this.props.at = moment.at;
    this.lead = moment.lead;
    this.slider.value = String(moment.lead);
    if (other) {
      const state = await loadState(moment.at);
      if (mine !== this.asked) return;
      this.state = state;
    }
    this.paint();
    if (!anew) announce(`${say("Map shows", "地图时间")} ${this.told.textContent}`);
  }

  private paint(): void {
    const begun = performance.now();
    const colours = columnColours(this.state, this.network, this.layer, this.lead);
    const columns = new Map<string, number[]>();
    colours.forEach((colour, column) => {
      const same = columns.get(colour);
      if (same) same.push(column);
      else columns.set(colour, [column]);
    });
    const cases = Array.from(columns, ([colour, those]) => [those, colour]).flat();
    const pick = ["match", ["coalesce", ["get", "column"], -1], ...cases, UNKNOWN];
    if (cases.length) {
      this.map.setPaintProperty("roads", "line-color", pick as never, { validate: false });
    }
    const condition = unpack(this.state, "condition", this.lead);
    for (const [name, pattern] of Object.entries(PATTERNS)) {
      const drawn: number[] = [];
      condition.forEach((code, i) => pattern.codes.includes(code) && drawn.push(i));
      this.mark(`pattern-${name}`, "column", drawn);
    }
    const held = this.state.measures.filter((m) => m.restrictive && m.state !== "awaiting_second");
    this.mark("measures", "corridor", held.flatMap((m) => m.corridors));
    this.mark("tasks", "corridor", this.withTasks ? this.state.tasks.flatMap((t) => t.corridors) : []);
    this.drawPoints();
    this.drawLegend(held.length);
    this.tell();
    const spent = (performance.now() - begun).toFixed(1);
    const anew = this.element.dataset.shown !== (this.state.at ?? "");
    this.element.dataset.paintMs = spent;
    if (anew) this.element.dataset.cycleMs = spent;
    this.element.dataset.shown = this.state.at ?? "";
    this.element.dataset.lead = String(this.lead);
    const paints = Number(this.element.dataset.paints ?? 0) + 1;
    this.element.dataset.paints = String(paints);
    this.map.once("idle", () => {
      const idle = (performance.now() - begun).toFixed(1);
      this.element.dataset.idleMs = idle;
      if (anew) this.element.dataset.cycleIdleMs = idle;
      this.element.dataset.idle = String(paints);
    });
  }

  private mark(layer: string, property: string, values: number[]): void {
    const key = values.join();
    if (this.marked.get(layer) === key) return;
    this.marked.set(layer, key);
    const wanted = ["in", ["coalesce", ["get", property], -1], ["literal", [...new Set(values)]]];
    this.map.setFilter(layer, wanted as maplibre.FilterSpecification, { validate: false });
  }

  private drawPoints(): void {
    const features = this.points();
    const key = JSON.stringify(features);
    if (this.marked.get("points") === key) return;
    this.marked.set("points", key);
    (this.map.getSource("points") as maplibre.GeoJSONSource).setData({ type: "FeatureCollection", features });
  }

  private points(): Feature[] {
    const point = (lon: number, lat: number, properties: Record<string, string>): Feature => ({
      type: "Feature",
      geometry: { type: "Point", coordinates: [lon, lat] },
      properties,
    });
    const stations = this.state.stations.map((s) => {
      const air = s.values.air_temperature_c?.value;
      const shown = air === undefined || air === null
        ? s.name
        : `${s.name} ${air.toFixed(1).replace("-", "−")} °C`;
      return point(s.lon, s.lat, { kind: "station", words: shown });
    });
    const incidents = this.state.incidents.flatMap((incident) => {
      const box = this.network.corridors[incident.corridors[0]]?.box;
      const lon = incident.lon ?? (box ? (box[0] + box[2]) / 2 : null);
      const lat = incident.lat ?? (box ? (box[1] + box[3]) / 2 : null);
      return lon === null || lat === null
        ? []
        : [point(lon, lat, { kind: "incident", words: `▲ ${words(incident.headline)}` })];
    });
    return [...stations, ...incidents];
  }

  private drawLegend(restrictions: number): void {
    const line = (mark: HTMLElement | string, label: string) => {
      const row = document.createElement("span");
      row.append(mark, label);
      return row;
    };
    const swatch = (colour: string, pattern: string) => {
      const made = document.createElement("i");
      made.style.backgroundColor = colour;
      if (pattern) made.className = `pattern-${pattern}`;
      return made;
    };
    const rows = legendRows(this.network, this.layer).map(([colour, label, pattern]) =>
      line(swatch(colour, pattern), label)
    );
    const soft = line(
      "",
      `${this.state.source.split(";")[0] || say("no cycle yet", "尚无研判")} · ${
        localTime(this.state.at ?? this.state.now)
      }`,
    );
    soft.className = "soft";
    soft.title = this.state.source;
    const many = this.state.tasks.length;
    this.legend.replaceChildren(
      ...rows,
      line("", say(`grey band: ${restrictions} restrictions`, `灰色带：${restrictions}项管制`)),
      ...(this.withTasks ? [line("", say(`blue band: ${many} tasks`, `蓝色带：${many}项任务`))] : []),
      line("", say("○ station, ▲ incident", "○ 气象站，▲ 事件")),
      soft,
    );
  }

  private tell(): void {
    const from = this.state.at ?? this.state.now;
    const when = localTime(new Date(Date.parse(from) + this.lead * 3600e3).toISOString());
    const ahead = this.lead ? `+${this.lead} h · ${say("forecast", "预报")} · ` : "";
    const past = this.isNow() ? "" : `${say("PAST", "历史")} · `;
    this.told.textContent = `${past}${ahead}${when}`;
    const shout = [
      this.isNow() ? "" : say("PAST", "历史"),
      this.lead ? say(`FORECAST +${this.lead} h`, `预报 +${this.lead} 小时`) : "",
      this.state.simulated ? say("SIMULATION", "模拟") : "",
    ].filter(Boolean);
    this.stamp.textContent = shout.length ? `${shout.join(" · ")} · ${when}` : "";
    const timeline = document.querySelector(".timeline, [data-island=timeline]");
    this.slider.hidden = timeline !== null && this.isNow();
  }

  private open({ x, y }: { x: number; y: number }): void {
    const box: [maplibre.PointLike, maplibre.PointLike] = [[x - 7, y - 7], [x + 7, y + 7]];
    const found = this.map.queryRenderedFeatures(box, { layers: ["roads"] });
    if (!found.length) return;
    const best = found.reduce((a, b) => (Number(b.properties.class) < Number(a.properties.class) ? b : a));
    const segment = Number(best.id);
    if (this.props.pick) this.pick(Number(best.properties.corridor ?? -1));
    else {
      openSegment(this.element, segment, this.props.at ?? "").catch((error: Error) =>
        announce(error.message)
      );
    }
  }

  /** On the page for entries a click names the road. */
  private pick(corridor: number): void {
    const road = this.network.corridors[corridor];
    const field = document.querySelector<HTMLInputElement>('input[name="road"]');
    if (!road || !field) {
      return announce(say("This road has no name; type a nearby one", "该道路无名称，请填写邻近道路"));
    }
    field.value = words(road.label);
    field.focus();
    announce(`${say("Road chosen", "已选道路")}: ${words(road.label)}`);
  }

  private zoomTo(corridors: number[]): void {
    const boxes = corridors.map((i) => this.network.corridors[i]?.box).filter(Boolean);
    if (!boxes.length) return;
    const at = (k: number, pick: (...n: number[]) => number) => pick(...boxes.map((b) => b[k]));
    this.map.fitBounds([at(0, Math.min), at(1, Math.min), at(2, Math.max), at(3, Math.max)], {
      padding: 40,
      maxZoom: 14,
      animate: false,
    });
  }
}

function mount(
  name: string,
  act: (element: HTMLElement, props: Record<string, unknown>) => Promise<void>,
): void {
  for (const element of document.querySelectorAll<HTMLElement>(`[data-island="${name}"]`)) {
    act(element, JSON.parse(element.dataset.props || "{}")).catch((error: Error) => {
      const note = document.createElement("p");
      note.setAttribute("role", "alert");
      note.textContent = `${say("This part could not be loaded", "此部分无法加载")}: ${error.message}`;
      element.prepend(note);
    });
  }
}

mount("map", (element, props) => new SituationMap(element, props as MapProps).start());
mount("segment", (element, props) => showSegment(element, Number(props.segment), String(props.at ?? "")));
