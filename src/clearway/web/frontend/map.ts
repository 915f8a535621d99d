// The situation map. Colour by column through one expression over a few hundred values, so that a new cycle
// repaints 50,000 segments without touching geometry.

import * as maplibre from "maplibre-gl";
import { LABELS, type Layer, looks, painting, type Pattern, PATTERNS, UNKNOWN } from "./colours.ts";
import { announce, getJson, localTime, say, utc, words } from "./house.ts";
import { legend, type Overlay, OVERLAYS } from "./legend.ts";
import { mapStyle } from "./mapstyle.ts";
import { openStation } from "./points.ts";
import { openSegment, showSegment } from "./segment.ts";
import { loadNetwork, loadState, type NetworkInfo, type State } from "./state.ts";
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

/** A filter for those whose value is in a list, or for all others: looked up, not searched, for every feature. */
function among(value: unknown[], values: number[], others: boolean): maplibre.FilterSpecification {
  const listed = [...new Set(values)];
  const found = ["match", ["coalesce", value, -1], listed, !others, others];
  return (listed.length ? found : ["literal", others]) as maplibre.FilterSpecification;
}
const KEPT = "clearway-map";

/** What the reader took off the map last time in this window. */
function keptOverlays(): Set<Overlay> {
  const usual: Overlay[] = ["measures", "incidents", "stations"];
  try {
    const kept = JSON.parse(sessionStorage.getItem(KEPT) ?? "null") as Overlay[] | null;
    return new Set((kept ?? usual).filter((name) => name in OVERLAYS));
  } catch {
    return new Set(usual);
  }
}

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
  private hint = document.createElement("p");
  private overlays = keptOverlays();
  private marked = new Map<string, string>();
  private asked = 0;
  /** Moment of the state at hand; what is wished for may still be under way. */
  private loaded = "";
  private later = 0;

  constructor(private readonly element: HTMLElement, private readonly props: MapProps) {}

  async start(): Promise<void> {
    [this.network, this.state] = await Promise.all([loadNetwork(), loadState(this.props.at ?? "")]);
    this.loaded = this.props.at ?? "";
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
    this.hint.className = "map-hint";
    this.hint.setAttribute("role", "status");
    canvas.append(this.stamp, this.hint);
    this.legend.className = "map-legend";
    this.legend.setAttribute("role", "group");
    this.legend.setAttribute("aria-label", say("Legend", "图例"));
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
      if (event.key !== "Enter" || this.open(this.map.project(this.map.getCenter()))) return;
      this.hint.textContent = say(
        "No road under the cross. Move the map with the arrow keys, or zoom with + and −, until the cross lies on one.",
        "十字处没有道路。请用方向键移动地图，或用 + 和 − 缩放，使十字落在道路上。",
      );
    });
    this.map.on("movestart", () => (this.hint.textContent = ""));
    this.map.on("load", () => {
      this.paint();
      if (this.props.corridors?.length) {
        this.zoomTo(this.props.corridors);
        this.mark("subject", "corridor", this.props.corridors);
      }
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
    const boxes = document.createElement("fieldset");
    boxes.className = "overlays";
    const title = document.createElement("legend");
    title.textContent = say("also show", "叠加显示");
    boxes.append(title);
    for (const name of Object.keys(OVERLAYS) as Overlay[]) {
      const label = document.createElement("label");
      const box = Object.assign(document.createElement("input"), {
        type: "checkbox",
        name,
        checked: this.overlays.has(name),
      });
      box.addEventListener("change", () => {
        if (box.checked) this.overlays.add(name);
        else this.overlays.delete(name);
        sessionStorage.setItem(KEPT, JSON.stringify([...this.overlays]));
        this.paint();
      });
      label.append(box, ` ${OVERLAYS[name]}`);
      boxes.append(label);
    }
    bar.addEventListener("submit", (event) => event.preventDefault());
    bar.append(select, boxes, this.slider, this.told);
    return bar;
  }

  /** Show a moment: the state known then, at a lead. A newer wish overtakes an older answer. */
  async show(moment: Moment, anew = false): Promise<void> {
    const mine = ++this.asked;
    const other = anew || moment.at !== this.loaded;
    this.props.at = moment.at;
    this.lead = moment.lead;
    this.slider.value = String(moment.lead);
    if (other) {
      const state = await loadState(moment.at);
      if (mine !== this.asked) return;
      this.state = state;
      this.loaded = moment.at;
    }
    this.paint();
    if (!anew) announce(`${say("Map shows", "地图时间")} ${this.told.textContent}`);
  }

  private paint(): void {
    const begun = performance.now();
    const shown = painting(this.state, this.network, this.layer, this.lead);
    const classes = looks(this.network, this.layer);
    const property = ["coalesce", ["get", shown.property], -1];
    const cases = Array.from(shown.classes, ([k, those]) => [those, classes[k]?.colour ?? UNKNOWN]).flat();
    const others = classes[shown.others]?.colour ?? UNKNOWN;
    const pick = cases.length ? ["match", property, ...cases, others] : others;
    const colour = this.layer === "condition" ? this.saidOver(pick) : pick;
    this.map.setPaintProperty("roads", "line-color", colour as never, { validate: false });
    for (const name of Object.keys(PATTERNS) as Exclude<Pattern, "">[]) {
      const drawn = Array.from(shown.classes, ([k, those]) => classes[k]?.pattern === name ? those : [])
        .flat();
      const rest = classes[shown.others]?.pattern === name;
      const all = Array.from(shown.classes.values()).flat();
      this.mark(
        `pattern-${name}`,
        shown.property,
        rest ? all.filter((v) => !drawn.includes(v)) : drawn,
        rest,
      );
    }
    const on = (name: Overlay, corridors: number[]) => this.overlays.has(name) ? corridors : [];
    const held = this.state.measures.filter((m) => m.restrictive && m.state !== "awaiting_second");
    const going = on(
      "measures",
      held.filter((m) => m.state === "removal_pending").flatMap((m) => m.corridors),
    );
    const standing = on(
      "measures",
      held.filter((m) => m.state !== "removal_pending").flatMap((m) => m.corridors),
    );
    const tasks = on("tasks", this.state.tasks.flatMap((t) => t.corridors));
    for (const form of ["", "-band"]) {
      this.mark(`measures${form}`, "corridor", form ? [...standing, ...going] : standing);
      this.mark(`tasks${form}`, "corridor", tasks);
    }
    this.mark("removals", "corridor", going);
    this.markSaid();
    this.drawPoints();
    this.legend.replaceChildren(
      ...legend(
        this.state,
        this.network,
        this.layer,
        this.lead,
        this.overlays,
        Boolean(this.props.corridors?.length),
      ),
    );
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

  private mark(layer: string, property: string, values: number[], others = false): void {
    const key = `${others}${property}${values.join()}`;
    if (this.marked.get(layer) === key) return;
    this.marked.set(layer, key);
    this.map.setFilter(layer, among(["get", property], values, others), { validate: false });
  }

  /** A person's word shows at once and as such; the next cycle takes it in. */
  private saidOver(pick: unknown): unknown {
    if (!this.state.said.length) return pick;
    const byCode = new Map(this.network.conditions.map((c) => [c.code, c.colour]));
    const said = this.state.said.flatMap(([segment, code]) => [segment, byCode.get(code) ?? UNKNOWN]);
    return ["match", ["coalesce", ["id"], -1], ...said, pick];
  }

  private markSaid(): void {
    const segments = this.state.said.map(([segment]) => segment);
    const key = segments.join();
    if (this.marked.get("said") === key) return;
    this.marked.set("said", key);
    this.map.setFilter("said", among(["id"], segments, false), { validate: false });
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
    const stations = (this.overlays.has("stations") ? this.state.stations : []).map((s) => {
      const air = s.values.air_temperature_c?.value;
      const shown = air === undefined || air === null
        ? words(s.label)
        : `${words(s.label)} ${air.toFixed(1).replace("-", "−")} °C`;
      return point(s.lon, s.lat, { kind: "station", id: s.id, words: shown });
    });
    const incidents = (this.overlays.has("incidents") ? this.state.incidents : []).flatMap((incident) => {
      const box = this.network.corridors[incident.corridors[0]]?.box;
      const lon = incident.lon ?? (box ? (box[0] + box[2]) / 2 : null);
      const lat = incident.lat ?? (box ? (box[1] + box[3]) / 2 : null);
      return lon === null || lat === null
        ? []
        : [point(lon, lat, { kind: "incident", id: incident.id, words: `▲ ${words(incident.headline)}` })];
    });
    return [...stations, ...incidents];
  }

  private tell(): void {
    const from = this.state.at ?? this.state.now;
    const moment = new Date(Date.parse(from) + this.lead * 3600e3).toISOString();
    const when = localTime(moment);
    const ahead = this.lead ? `+${this.lead} h · ${say("forecast", "预报")} · ` : "";
    const past = this.isNow() ? "" : `${say("PAST", "历史")} · `;
    this.told.textContent = `${past}${ahead}${when}`;
    this.told.title = utc(moment);
    const shout = [
      this.isNow() ? "" : say("PAST", "历史"),
      this.lead ? say(`FORECAST +${this.lead} h`, `预报 +${this.lead} 小时`) : "",
      this.state.simulated ? say("SIMULATION", "模拟") : "",
      this.lead && this.state.hindsight ? say("hindsight", "事后预报") : "",
    ].filter(Boolean);
    this.stamp.textContent = shout.length ? `${shout.join(" · ")} · ${when}` : "";
    const timeline = document.querySelector(".timeline, [data-island=timeline]");
    this.slider.hidden = timeline !== null && this.isNow();
  }

  /** Open what lies at a point; whether there is anything. */
  private open({ x, y }: { x: number; y: number }): boolean {
    const box: [maplibre.PointLike, maplibre.PointLike] = [[x - 7, y - 7], [x + 7, y + 7]];
    const [place] = this.map.queryRenderedFeatures(box, { layers: ["points"] });
    if (place && !this.props.pick) {
      this.openPoint(place.properties as { kind: string; id: string });
      return true;
    }
    const found = this.map.queryRenderedFeatures(box, { layers: ["roads"] });
    if (!found.length) return false;
    this.hint.textContent = "";
    const best = found.reduce((a, b) => (Number(b.properties.class) < Number(a.properties.class) ? b : a));
    const segment = Number(best.id);
    if (this.props.pick) this.pick(Number(best.properties.corridor ?? -1), segment);
    else {
      openSegment(this.element, segment, this.props.at ?? "").catch((error: Error) =>
        announce(error.message)
      );
    }
    return true;
  }

  private openPoint({ kind, id }: { kind: string; id: string }): void {
    if (kind === "incident") location.href = `/console/record/${id}`;
    const station = this.state.stations.find((s) => s.id === id);
    if (station) openStation(this.element, station);
  }

  /** On the page for entries a click names the road, the spot, and the kilometre where it is known. */
  private pick(corridor: number, segment: number): void {
    const road = this.network.corridors[corridor];
    const field = document.querySelector<HTMLInputElement>('input[name="road"]');
    if (!road || !field) {
      return announce(say("This road has no name; type a nearby one", "该道路无名称，请填写邻近道路"));
    }
    field.value = words(road.label);
    const spot = document.querySelector<HTMLInputElement>('input[name="segment"]');
    const km = document.querySelector<HTMLInputElement>('input[name="km"]');
    if (spot) spot.value = String(segment);
    if (km) km.value = "";
    getJson<{ km: number | null }>(`/console/segment/${segment}`).then((found) => {
      if (km && found.km !== null && spot?.value === String(segment)) km.value = found.km.toFixed(1);
    }, (error: Error) => announce(error.message));
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
