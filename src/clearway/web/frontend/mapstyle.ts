// The map's style: roads over plain paper, patterns, restrictions and tasks beneath, names above.

import type {
  DataDrivenPropertyValueSpecification,
  LayerSpecification,
  LineLayerSpecification,
  StyleSpecification,
} from "maplibre-gl";
import { lang } from "./house.ts";
import { PATTERNS, UNKNOWN } from "./colours.ts";
import type { NetworkInfo } from "./state.ts";

type NumberValue = DataDrivenPropertyValueSpecification<number>;

const WIDTH: NumberValue = [
  "interpolate",
  ["exponential", 1.4],
  ["zoom"],
  9,
  ["match", ["get", "class"], 0, 1.8, 1, 1.5, 2, 1, 0.4],
  14,
  ["match", ["get", "class"], 0, 6, 1, 5, 2, 4, 2],
];
/** From this zoom on, lines beside a road can be told apart; farther out there is a band. */
const NEAR = 11.5;
const GAP: NumberValue = [
  "interpolate",
  ["exponential", 1.4],
  ["zoom"],
  9,
  ["match", ["get", "class"], 0, 2.6, 1, 2.4, 2, 2, 1.4],
  14,
  ["match", ["get", "class"], 0, 7, 1, 6, 2, 5, 3],
];
const PATTERN: NumberValue = ["interpolate", ["linear"], ["zoom"], 9, 0.6, 11, 1.3, 14, 2];
const OFFSET: NumberValue = ["interpolate", ["linear"], ["zoom"], 11, 0.5, 14, 2];

export function night(): boolean {
  return matchMedia("(prefers-color-scheme: dark)").matches;
}

export function mapStyle(network: NetworkInfo): StyleSpecification {
  const dark = night();
  const ink = dark ? "#e8eef1" : "#1b2429";
  const paper = dark ? "#11171a" : "#f6f8f8";
  const [low, high] = network.zooms ?? [0, 14];
  const nowhere = { type: "geojson", data: { type: "FeatureCollection", features: [] } } as const;
  return {
    version: 8,
    // A new state is there at once; blending old into new would only delay it.
    transition: { duration: 0, delay: 0 },
    sources: {
      roads: {
        type: "vector",
        tiles: [`${location.origin}${network.tiles}?v=${network.hash.slice(0, 12)}`],
        minzoom: low,
        maxzoom: high,
      },
      // The same tiles once more: a new state lays out roads, and leaves the names where they are.
      names: {
        type: "vector",
        tiles: [`${location.origin}${network.tiles}?v=${network.hash.slice(0, 12)}`],
        minzoom: low,
        maxzoom: high,
      },
      points: nowhere,
    },
    layers: [
      { id: "paper", type: "background", paint: { "background-color": paper } },
      { ...band("tasks-band", dark ? "#76bdea" : "#0b5c8a", 0.45, 4), maxzoom: NEAR },
      { ...band("measures-band", ink, dark ? 0.3 : 0.2), maxzoom: NEAR },
      band("subject", dark ? "#76bdea" : "#0b5c8a", 0.4),
      band("said", dark ? "#f0a6ff" : "#8b1fa9", 0.45),
      {
        id: "roads",
        type: "line",
        source: "roads",
        "source-layer": "roads",
        layout: { "line-cap": "round" },
        paint: { "line-color": UNKNOWN, "line-width": WIDTH, "line-offset": OFFSET },
      },
      ...Object.entries(PATTERNS).map(([name, dash]): LayerSpecification => ({
        id: `pattern-${name}`,
        type: "line",
        source: "roads",
        "source-layer": "roads",
        minzoom: 9,
        filter: ["==", ["get", "column"], -2],
        layout: { "line-cap": name === "dashes" ? "butt" : "round" },
        paint: {
          "line-color": paper,
          "line-width": PATTERN,
          "line-offset": OFFSET,
          "line-dasharray": dash,
        },
      })),
      beside("measures", ink, 1.6),
      beside("removals", ink, 1.6, [1.2, 1.6]),
      beside("tasks", dark ? "#76bdea" : "#0b5c8a", 2.2, [3, 1.5]),
      {
        id: "names",
        type: "symbol",
        source: "names",
        "source-layer": "labels",
        minzoom: 10,
        layout: {
          "symbol-placement": "line",
          "text-field": ["coalesce", ["get", lang], ["get", "zh"], ["get", "ref"]],
          "text-size": ["interpolate", ["linear"], ["zoom"], 10, 10, 14, 13],
          "symbol-sort-key": ["get", "class"],
          "symbol-spacing": 350,
        },
        paint: { "text-color": ink, "text-halo-color": paper, "text-halo-width": 1.6 },
      },
      {
        id: "points",
        type: "circle",
        source: "points",
        paint: {
          "circle-radius": ["match", ["get", "kind"], "incident", 8, 5],
          "circle-color": ["match", ["get", "kind"], "incident", "#b3121b", paper],
          "circle-stroke-color": ["match", ["get", "kind"], "incident", paper, ink],
          "circle-stroke-width": 2,
        },
      },
      {
        id: "point-words",
        type: "symbol",
        source: "points",
        layout: {
          "text-field": ["get", "words"],
          "text-size": 12,
          "text-anchor": "left",
          "text-offset": [0.8, 0],
          "text-optional": true,
        },
        paint: { "text-color": ink, "text-halo-color": paper, "text-halo-width": 2 },
      },
    ],
  };
}

/** A broad band under the roads. */
function band(id: string, colour: string, opacity: number, more = 0): LineLayerSpecification {
  return {
    id,
    type: "line",
    source: "roads",
    "source-layer": "roads",
    filter: ["==", ["get", "corridor"], -2],
    paint: {
      "line-color": colour,
      "line-width": ["interpolate", ["exponential", 1.4], ["zoom"], 9, 7 + more, 14, 20 + more],
      "line-opacity": opacity,
      "line-offset": OFFSET,
    },
  };
}

/** Two lines on either side of a road: told by form, not by colour alone. */
function beside(id: string, colour: string, width: number, dash?: number[]): LayerSpecification {
  return {
    id,
    type: "line",
    source: "roads",
    "source-layer": "roads",
    minzoom: NEAR,
    filter: ["==", ["get", "corridor"], -2],
    paint: {
      "line-color": colour,
      "line-width": ["interpolate", ["linear"], ["zoom"], 9, width / 2, 13, width],
      "line-gap-width": GAP,
      "line-offset": OFFSET,
      ...(dash ? { "line-dasharray": dash } : {}),
    },
  };
}
