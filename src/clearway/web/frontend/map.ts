// The situation map. Colour by column through one expression over a few hundred values, so that a new cycle
// repaints 50,000 segments without touching geometry.

import * as maplibre from "maplibre-gl";
import { announce, calm, localTime, say, words } from "./house.ts";
import { type Condition, loadNetwork, loadState, type NetworkInfo, type State, unpack } from "./state.ts";
import { openSegment } from "./segment.ts";

maplibre.setWorkerUrl("/static/dist/map-worker.js");

type Layer = "condition" | "friction" | "rst_c" | "p_slippery" | "confidence";

interface MapProps {
  at?: string;
  corridors?: number[];
  pick?: boolean;
}

const RAMPS: Record<Exclude<Layer, "condition">, [number, string][]> = {
  friction: [[0.15, "#7d0a2e"], [0.3, "#d98a3c"], [0.5, "#e0c04a"], [0.8, "#5b8f6a"]],
  rst_c: [[-10, "#3b2a8c"], [-2, "#3f7fd0"], [0, "#e8e8e8"], [2, "#e9a15b"], [12, "#a83210"]],
  p_slippery: [[0, "#8a9499"], [0.3, "#e0c04a"], [0.6, "#d9660a"], [1, "#c4161c"]],
  confidence: [[0, "#c4161c"], [0.5, "#e0c04a"], [1, "#1668b8"]],
};

const LABELS: Record<Layer, string> = {
  condition: say("road condition", "路面状况"),
  friction: say("friction", "摩擦系数"),
  rst_c: say("surface temperature °C", "路面温度 °C"),
  p_slippery: say("chance of slippery", "湿滑概率"),
  confidence: say("confidence", "可信度"),
};

export class SituationMap {
  private map!: maplibre.Map;
  private network!: NetworkInfo;
  private state!: State;
  private layer: Layer = "condition";
  private lead = 0;
  private legend = document.createElement("div");
  lastPaintMs = 0;

  constructor(private readonly element: HTMLElement, private readonly props: MapProps) {}

  async start(): Promise<void> {
    [this.network, this.state] = await Promise.all([loadNetwork(), loadState(this.props.at ?? "")]);
    this.element.replaceChildren();
    this.element.classList.add("map");
    const canvas = document.createElement("div");
    canvas.className = "map-canvas";
    this.element.append(this.controls(), canvas, this.legend);
    this.legend.className = "map-legend";
    this.map = new maplibre.Map({
      container: canvas,
      style: this.style(),
      bounds: this.network.box,
      fitBoundsOptions: { padding: 20 },
      attributionControl: { customAttribution: this.network.attribution, compact: true },
      fadeDuration: calm ? 0 : 150,
      maxPitch: 0,
      dragRotate: false,
    });
    this.map.addControl(new maplibre.NavigationControl({ showCompass: false }), "top-right");
    this.map.on("click", (event) => this.click(event));
    this.map.on("load", () => {
      this.paint();
      this.element.dataset.ready = "yes";
      if (this.props.corridors?.length) this.zoomTo(this.props.corridors);
    });
    addEventListener("cw:time", (event) => void this.moveTo((event as CustomEvent<string>).detail));
    addEventListener("cw:cycle", () => void this.moveTo(this.props.at ?? ""));
  }

  private style(): maplibre.StyleSpecification {
    const dark = matchMedia("(prefers-color-scheme: dark)").matches;
    const width: maplibre.ExpressionSpecification = [
      "interpolate",
      ["exponential", 1.4],
      ["zoom"],
      9,
      ["match", ["get", "class"], 0, 1.8, 1, 1.5, 2, 1, 0.4],
      14,
      ["match", ["get", "class"], 0, 6, 1, 5, 2, 4, 2],
    ];
    const offset: maplibre.ExpressionSpecification = ["interpolate", ["linear"], ["zoom"], 11, 0.5, 14, 2];
    return {
      version: 8,
      sources: {
        roads: {
          type: "vector",
          tiles: [`${location.origin}${this.network.tiles}`],
          minzoom: this.network.zooms[0],
          maxzoom: this.network.zooms[1],
        },
      },
      layers: [
        { id: "paper", type: "background", paint: { "background-color": dark ? "#11171a" : "#f6f8f8" } },
        {
          id: "measures",
          type: "line",
          source: "roads",
          "source-layer": "roads",
          filter: ["==", ["get", "corridor"], -1],
          paint: {
            "line-color": dark ? "#ffffff" : "#000000",
            "line-width": 9,
            "line-opacity": 0.35,
            "line-blur": 1,
          },
        },
        {
          id: "roads",
          type: "line",
          source: "roads",
          "source-layer": "roads",
          layout: { "line-cap": "round" },
          paint: { "line-color": "#8a9499", "line-width": width, "line-offset": offset },
        },
        {
          id: "slippery",
          type: "line",
          source: "roads",
          "source-layer": "roads",
          filter: ["==", ["get", "column"], -1],
          minzoom: 11,
          paint: {
            "line-color": dark ? "#000000" : "#ffffff",
            "line-width": 1.2,
            "line-offset": offset,
            "line-dasharray": [1, 3],
          },
        },
      ],
    };
  }

  private controls(): HTMLElement {
    const bar = document.createElement("form");
    bar.className = "map-controls";
    const select = document.createElement("select");
    select.setAttribute("aria-label", say("What the colours show", "颜色表示"));
    for (const name of Object.keys(LABELS) as Layer[]) {
      const option = document.createElement("option");
      option.value = name;
      option.textContent = LABELS[name];
      select.append(option);
    }
    select.addEventListener("change", () => {
      this.layer = select.value as Layer;
      this.paint();
    });
    const lead = document.createElement("input");
    lead.type = "range";
    lead.min = "0";
    lead.max = "48";
    lead.value = "0";
    lead.setAttribute("aria-label", say("Hours ahead", "预报时效（小时）"));
    const shown = document.createElement("output");
    const tell = () => {
      const when = new Date(Date.parse(this.state.at) + this.lead * 3600e3).toISOString();
      const words = this.lead ? `+${this.lead} h · ` : "";
      shown.textContent = `${words}${localTime(when)}${this.lead ? ` (${say("forecast", "预报")})` : ""}`;
    };
    lead.addEventListener("input", () => {
      this.lead = Number(lead.value);
      tell();
      this.paint();
    });
    bar.addEventListener("submit", (event) => event.preventDefault());
    bar.append(select, lead, shown);
    queueMicrotask(tell);
    addEventListener("cw:painted", tell);
    return bar;
  }

  async moveTo(at: string): Promise<void> {
    this.props.at = at;
    this.state = await loadState(at);
    this.paint();
    announce(`${say("Map shows", "地图时间")} ${localTime(this.state.at)}`);
  }

  private paint(): void {
    const begun = performance.now();
    const values = unpack(this.state, this.layer, this.lead);
    const colours: string[] = [];
    const slippery: number[] = [];
    const byCode = new Map(this.network.conditions.map((c) => [c.code, c]));
    const condition = this.layer === "condition" ? values : unpack(this.state, "condition", this.lead);
    for (let i = 0; i < values.length; i++) {
      if (this.layer === "condition") colours.push(byCode.get(values[i])?.colour ?? "#8a9499");
      else colours.push(ramp(RAMPS[this.layer], values[i]));
      if (condition[i] >= 3) slippery.push(i);
    }
    const pick = [
      "at",
      ["coalesce", ["get", "column"], 0],
      ["literal", colours],
    ] as unknown as maplibre.ExpressionSpecification;
    this.map.setPaintProperty("roads", "line-color", pick);
    this.map.setFilter("slippery", ["in", ["get", "column"], ["literal", slippery]]);
    const held = this.state.measures.filter((m) => m.restrictive && m.state !== "awaiting_second");
    const corridors = [...new Set(held.flatMap((m) => m.corridors))];
    this.map.setFilter("measures", ["in", ["coalesce", ["get", "corridor"], -1], ["literal", corridors]]);
    this.drawLegend(held.length);
    this.lastPaintMs = performance.now() - begun;
    this.element.dataset.paintMs = this.lastPaintMs.toFixed(1);
    this.element.dataset.shown = this.state.at;
    dispatchEvent(new CustomEvent("cw:painted", { detail: this.state }));
  }

  private drawLegend(restrictions: number): void {
    const items = this.layer === "condition"
      ? this.network.conditions.map((c: Condition) => [c.colour, words(c.label)])
      : RAMPS[this.layer].map(([value, colour]) => [colour, String(value)]);
    this.legend.replaceChildren(
      ...items.map(([colour, label]) => {
        const row = document.createElement("span");
        const mark = document.createElement("i");
        mark.style.background = colour;
        row.append(mark, label);
        return row;
      }),
    );
    const more = document.createElement("span");
    more.textContent = say(
      `dotted: slippery; shaded: ${restrictions} restrictions`,
      `虚点：湿滑；阴影：${restrictions}项管制`,
    );
    const source = document.createElement("span");
    source.className = "soft";
    source.textContent = `${this.state.source} · ${localTime(this.state.at)}`;
    this.legend.append(more, source);
  }

  private click(event: maplibre.MapMouseEvent): void {
    const { x, y } = event.point;
    const found = this.map.queryRenderedFeatures([[x - 6, y - 6], [x + 6, y + 6]], { layers: ["roads"] });
    if (!found.length) return;
    const segment = Number(found[0].id);
    if (this.props.pick) {
      const corridor = Number(found[0].properties.corridor ?? -1);
      dispatchEvent(new CustomEvent("cw:picked", { detail: { segment, corridor, ...event.lngLat } }));
    }
    void openSegment(this.element, segment, this.props.at ?? "");
  }

  private zoomTo(corridors: number[]): void {
    const boxes = corridors.map((i) => this.network.corridors[i]?.box).filter(Boolean);
    if (!boxes.length) return;
    const at = (k: number, pick: (...n: number[]) => number) => pick(...boxes.map((b) => b[k]));
    this.map.fitBounds([at(0, Math.min), at(1, Math.min), at(2, Math.max), at(3, Math.max)], { padding: 40 });
  }
}

function ramp(stops: [number, string][], value: number): string {
  if (Number.isNaN(value)) return "#8a9499";
  if (value <= stops[0][0]) return stops[0][1];
  for (let i = 1; i < stops.length; i++) {
    const [high, colour] = stops[i];
    const [low, before] = stops[i - 1];
    if (value <= high) return mix(before, colour, (value - low) / (high - low));
  }
  return stops[stops.length - 1][1];
}

function mix(a: string, b: string, share: number): string {
  const part = (text: string, k: number) => parseInt(text.slice(1 + 2 * k, 3 + 2 * k), 16);
  const hex = [0, 1, 2].map((k) => Math.round(part(a, k) + (part(b, k) - part(a, k)) * share));
  return `#${hex.map((v) => v.toString(16).padStart(2, "0")).join("")}`;
}

export async function mountMap(element: HTMLElement, props: Record<string, unknown>): Promise<void> {
  await new SituationMap(element, props as MapProps).start();
}

for (const element of document.querySelectorAll<HTMLElement>('[data-island="map"]')) {
  mountMap(element, JSON.parse(element.dataset.props || "{}")).catch((error: Error) => {
    element.textContent = `${say("The map could not be loaded", "地图无法加载")}: ${error.message}`;
  });
}
