// What the colours of the map mean: a few classes per layer, each with a colour, a word and a pattern.

import { localTime, say, words } from "./house.ts";
import { type NetworkInfo, type State, unpack } from "./state.ts";

export type Layer = "condition" | "friction" | "rst_c" | "p_slippery" | "confidence" | "level";
export type Pattern = "" | "dashes" | "dots" | "sparse";

export const UNKNOWN = "#8a9499";
export const LABELS: Record<Layer, string> = {
  condition: say("road condition", "路面状况"),
  friction: say("friction", "摩擦系数"),
  rst_c: say("surface temperature °C", "路面温度 °C"),
  p_slippery: say("chance of slippery", "湿滑概率"),
  confidence: say("confidence", "可信度"),
  level: say("warning level", "预警级别"),
};

/** One class of a layer. */
export interface Look {
  colour: string;
  words: string;
  pattern: Pattern;
}

/** A class of a number: values below the bound and above that of the class before. */
type Band = [below: number, colour: string, words: string, pattern: Pattern];

const BANDS: Record<Exclude<Layer, "condition" | "level">, Band[]> = {
  friction: [
    [0.15, "#7d0a2e", say("below 0.15: like wet ice", "低于0.15：如湿冰"), "dashes"],
    [0.25, "#c4161c", say("0.15–0.25: very slippery", "0.15–0.25：极滑"), "dots"],
    [0.4, "#d9660a", say("0.25–0.4: slippery", "0.25–0.4：湿滑"), "sparse"],
    [0.6, "#e0c04a", say("0.4–0.6: less grip", "0.4–0.6：抓地力下降"), ""],
    [Infinity, "#5b8f6a", say("0.6 and more: good", "0.6以上：良好"), ""],
  ],
  rst_c: [
    [-10, "#3b2a8c", say("below −10: salt fails", "低于−10：盐效甚微"), "dashes"],
    [-5, "#3f5fc0", say("−10 to −5: hard frost", "−10至−5：严寒"), "dots"],
    [0, "#3f9fd0", say("−5 to 0: freezing", "−5至0：结冰温度"), "sparse"],
    [2, "#e0c04a", say("0 to 2: close to freezing", "0至2：接近冰点"), ""],
    [Infinity, "#b3623a", say("2 and more", "2以上"), ""],
  ],
  p_slippery: [
    [0.1, "#8a9499", say("below 10 %: unlikely", "低于10%：不太可能"), ""],
    [0.3, "#e0c04a", say("10–30 %: possible", "10–30%：有可能"), ""],
    [0.6, "#d9660a", say("30–60 %: even odds", "30–60%：可能性中等"), "sparse"],
    [0.9, "#c4161c", say("60–90 %: likely", "60–90%：很可能"), "dots"],
    [Infinity, "#7d0a2e", say("90 % and more: nearly certain", "90%以上：几乎确定"), "dashes"],
  ],
  confidence: [
    [0.3, "#c4161c", say("below 30 %: a guess", "低于30%：仅供猜测"), "dashes"],
    [0.6, "#d9660a", say("30–60 %: weak", "30–60%：偏低"), "dots"],
    [0.8, "#e0c04a", say("60–80 %: fair", "60–80%：尚可"), "sparse"],
    [Infinity, "#1668b8", say("80 % and more: good", "80%以上：良好"), ""],
  ],
};

/** Dashes of the patterns drawn over the colour, so that colour is never alone. */
export const PATTERNS: Record<Exclude<Pattern, "">, number[]> = {
  dots: [0.1, 2.4],
  dashes: [2, 2],
  sparse: [0.5, 5],
};

const CONDITION_PATTERNS: Record<number, Pattern> = {
  3: "dots",
  4: "dots",
  5: "dots",
  6: "dashes",
  7: "dashes",
  8: "sparse",
};
const LEVEL_PATTERNS: Pattern[] = ["", "", "sparse", "dots", "dashes"];

/** Classes of a layer in the order of the legend. */
export function looks(network: NetworkInfo, layer: Layer): Look[] {
  if (layer === "condition") {
    return network.conditions.map((c) => ({
      colour: c.colour,
      words: words(c.label),
      pattern: CONDITION_PATTERNS[c.code] ?? "",
    }));
  }
  if (layer === "level") {
    return network.levels.map((l) => ({
      colour: l.level ? l.colour : UNKNOWN,
      words: `${l.shape} ${words(l.label)}`,
      pattern: LEVEL_PATTERNS[l.level] ?? "",
    }));
  }
  return BANDS[layer].map(([, colour, told, pattern]) => ({ colour, words: told, pattern }));
}

/** What is painted: class of each column, or of each corridor with one class for all others. */
export interface Painting {
  property: "column" | "corridor";
  classes: Map<number, number[]>;
  others: number;
}

/** The class of every column at one lead; for warning levels of every corridor at that hour. */
export function painting(state: State, network: NetworkInfo, layer: Layer, lead: number): Painting {
  return layer === "level"
    ? levelPainting(state, network, lead)
    : columnPainting(state, network, layer, lead);
}

function columnPainting(
  state: State,
  network: NetworkInfo,
  layer: Exclude<Layer, "level">,
  lead: number,
): Painting {
  const values = unpack(state, layer, lead);
  const order = new Map(network.conditions.map((c, i) => [c.code, i]));
  const classes = new Map<number, number[]>();
  values.forEach((value, column) => {
    if (Number.isNaN(value)) return;
    const found = layer === "condition"
      ? order.get(value) ?? -1
      : BANDS[layer].findIndex(([below]) => value < below);
    const same = classes.get(found);
    if (same) same.push(column);
    else classes.set(found, [column]);
  });
  return { property: "column", classes, others: -1 };
}

function levelPainting(state: State, network: NetworkInfo, lead: number): Painting {
  const at = Date.parse(state.at ?? state.now) + lead * 3600e3;
  const order = new Map(network.levels.map((l, i) => [l.level, i]));
  const worst = new Map<number, number>();
  let everywhere = 0;
  for (const one of state.levels) {
    const begun = !one.starts || Date.parse(one.starts) <= at + 3600e3;
    const over = one.ends && Date.parse(one.ends) <= at;
    if (!begun || over) continue;
    if (one.everywhere) everywhere = Math.max(everywhere, one.level);
    for (const corridor of one.corridors) {
      worst.set(corridor, Math.max(worst.get(corridor) ?? 0, one.level));
    }
  }
  const classes = new Map<number, number[]>();
  for (const [corridor, level] of worst) {
    if (level <= everywhere) continue;
    const found = order.get(level) ?? 0;
    classes.set(found, [...(classes.get(found) ?? []), corridor]);
  }
  return { property: "corridor", classes, others: order.get(everywhere) ?? 0 };
}

/** Where the numbers on the map are from, as of when, and how sure. */
export function provenance(state: State, lead: number): string {
  const [model] = words(state.source).split(/[;；]/);
  const known = unpack(state, "confidence", lead).filter((v) => !Number.isNaN(v));
  const mean = known.length ? known.reduce((a, b) => a + b, 0) / known.length : NaN;
  const parts = [
    model || say("no cycle yet", "尚无研判"),
    `${say("computed", "计算于")} ${localTime(state.at ?? state.now)}`,
    Number.isNaN(mean) ? "" : `${say("mean confidence", "平均可信度")} ${Math.round(100 * mean)} %`,
    state.hindsight ? say("hindsight forecast", "事后预报") : "",
  ];
  return parts.filter(Boolean).join(" · ");
}
