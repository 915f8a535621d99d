// State of the roads as small arrays, by forcing column; geometry comes once as tiles.

import { decode, getJson, type Words } from "./house.ts";

export interface PackedArray {
  type: "u1" | "i2";
  scale: number;
  missing: number;
  data: string;
}

export interface Measure {
  id: string;
  state: string;
  type: string;
  restrictive: boolean;
  headline: Words;
  corridors: number[];
  kmh: number | null;
  expiry: string;
  on_road: string;
}

export interface Station {
  id: string;
  label: Words;
  lon: number;
  lat: number;
  at: string;
  values: Record<string, { value: number | null; quality: number; flags: Words[]; at: string }>;
}

export interface State {
  at: string | null;
  asked: string;
  now: string;
  is_now: boolean;
  simulated: boolean;
  hindsight: boolean;
  source: Words;
  leads: number[];
  columns: number;
  arrays: Record<string, PackedArray>;
  said: [number, number][];
  levels: {
    id: string;
    hazard: string;
    level: number;
    headline: Words;
    starts: string | null;
    ends: string | null;
    everywhere: boolean;
    corridors: number[];
  }[];
  overrides: { id: string; headline: Words; corridors: number[]; until: string | null }[];
  measures: Measure[];
  tasks: { id: string; state: string; headline: Words; corridors: number[]; unit: string; due: string }[];
  incidents: {
    id: string;
    state: string;
    headline: Words;
    corridors: number[];
    lon: number | null;
    lat: number | null;
  }[];
  stations: Station[];
  hours: string[];
  seq: number;
}

export interface Condition {
  code: number;
  name: string;
  label: Words;
  colour: string;
  pattern: string;
}

export interface NetworkInfo {
  hash: string;
  count: number;
  columns: number;
  corridors: { i: number; id: string; label: Words; ref: string; class: number; box: number[] }[];
  box: [number, number, number, number];
  tiles: string;
  zooms: [number, number] | null;
  conditions: Condition[];
  levels: { level: number; label: Words; colour: string; shape: string }[];
  attribution: string;
}

/** Values of one array at one lead, as plain numbers; missing is NaN. */
export function unpack(state: State, name: string, lead: number): Float32Array {
  const packed = state.arrays[name];
  const out = new Float32Array(state.columns).fill(NaN);
  if (!packed) return out;
  const bytes = decode(packed.data);
  const raw = packed.type === "u1" ? bytes : new Int16Array(bytes.buffer);
  const row = Math.max(0, state.leads.indexOf(lead));
  for (let i = 0; i < state.columns; i++) {
    const value = raw[row * state.columns + i];
    if (value !== packed.missing) out[i] = value * packed.scale;
  }
  return out;
}

export async function loadState(at: string): Promise<State> {
  return await getJson<State>(`/console/state${at ? `?at=${encodeURIComponent(at)}` : ""}`);
}

let network: Promise<NetworkInfo> | null = null;

/** What does not change between cycles; asked for once a page. */
export function loadNetwork(): Promise<NetworkInfo> {
  network ??= getJson<NetworkInfo>("/console/network.json");
  return network;
}
