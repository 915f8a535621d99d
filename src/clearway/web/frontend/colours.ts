// What the colours of the map mean: one list of values for a legend, one colour for each column.

import { say, words } from "./house.ts";
import { type NetworkInfo, type State, unpack } from "./state.ts";

export type Layer = "condition" | "friction" | "rst_c" | "p_slippery" | "confidence" | "level";

export const UNKNOWN = "#8a9499";
export const LABELS: Record<Layer, string> = {
  condition: say("road condition", "路面状况"),
  friction: say("friction", "摩擦系数"),
  rst_c: say("surface temperature °C", "路面温度 °C"),
  p_slippery: say("chance of slippery", "湿滑概率"),
  confidence: say("confidence", "可信度"),
  level: say("warning level", "预警级别"),
};

type Ramp = [number, string][];
const RAMPS: Record<Exclude<Layer, "condition" | "level">, Ramp> = {
  friction: [[0.15, "#7d0a2e"], [0.3, "#d98a3c"], [0.5, "#e0c04a"], [0.8, "#5b8f6a"]],
  rst_c: [[-10, "#3b2a8c"], [-2, "#3f7fd0"], [0, "#9fb4bd"], [2, "#e9a15b"], [12, "#a83210"]],
  p_slippery: [[0, "#8a9499"], [0.3, "#e0c04a"], [0.6, "#d9660a"], [1, "#c4161c"]],
  confidence: [[0, "#c4161c"], [0.5, "#e0c04a"], [1, "#1668b8"]],
};

/** Conditions that share a pattern drawn over the colour, so that colour is never alone. */
export const PATTERNS: Record<string, { codes: number[]; dash: number[]; label: string }> = {
  dots: { codes: [3, 4, 5], dash: [0.1, 2.4], label: say("dotted: slush or snow", "点：雪浆或积雪") },
  dashes: { codes: [6, 7], dash: [2, 2], label: say("dashed: ice", "虚线：结冰") },
  sparse: { codes: [8], dash: [0.5, 5], label: say("sparse: frost", "疏点：结霜") },
};

export function patternOf(code: number): string {
  return Object.keys(PATTERNS).find((name) => PATTERNS[name].codes.includes(code)) ?? "";
}

/** The colour of every column at one lead. */
export function columnColours(state: State, network: NetworkInfo, layer: Layer, lead: number): string[] {
  if (layer === "level") {
    const worst = Math.max(0, ...state.levels.map((l) => l.level));
    const colour = network.levels.find((l) => l.level === worst)?.colour ?? UNKNOWN;
    return new Array(state.columns).fill(worst ? colour : UNKNOWN);
  }
  const values = unpack(state, layer, lead);
  if (layer === "condition") {
    const byCode = new Map(network.conditions.map((c) => [c.code, c.colour]));
    return Array.from(values, (code) => byCode.get(code) ?? UNKNOWN);
  }
  return Array.from(values, (value) => ramp(RAMPS[layer], value));
}

/** Rows of the legend: colour, words, name of the pattern. */
export function legendRows(network: NetworkInfo, layer: Layer): [string, string, string][] {
  if (layer === "condition") {
    return network.conditions.map((c) => [c.colour, words(c.label), patternOf(c.code)]);
  }
  if (layer === "level") {
    return network.levels.map((l) => [l.level ? l.colour : UNKNOWN, `${l.shape} ${words(l.label)}`, ""]);
  }
  return RAMPS[layer].map(([value, colour]) => [colour, String(value).replace("-", "−"), ""]);
}

function ramp(stops: Ramp, value: number): string {
  if (Number.isNaN(value)) return UNKNOWN;
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
