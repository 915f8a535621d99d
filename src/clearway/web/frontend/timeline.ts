// One bar: past 48 h, now, next 48 h. "Now" is one key away, and neither past nor forecast can be taken for it.

import { calm, localTime, say, utc } from "./house.ts";
import { swap } from "./live.ts";

interface TimelineProps {
  at: string;
  now: string;
  past_h?: number;
  ahead_h?: number;
}

export interface Moment {
  at: string;
  lead: number;
}

const STEP_MS = 1200;

export class Timeline {
  private now: number;
  private range = document.createElement("input");
  private shown = document.createElement("output");
  private play = document.createElement("button");
  private pace = document.createElement("select");
  private note = document.createElement("p");
  private playing = 0;
  /** The past moment that was asked for, exactly; null while the bar stands at now or ahead, or is being moved. */
  private asked: number | null;

  constructor(private readonly element: HTMLElement, private readonly props: TimelineProps) {
    this.now = Date.parse(props.now);
    const asked = document.body.dataset.at;
    this.asked = asked ? Date.parse(asked) : null;
  }

  start(): void {
    const { past_h: past = 48, ahead_h: ahead = 48 } = this.props;
    Object.assign(this.range, { type: "range", min: `${-past}`, max: `${ahead}`, step: "1" });
    this.range.value = this.asked === null ? "0" : String(Math.round((this.asked - this.now) / 3600e3));
    this.range.setAttribute("aria-label", say("Time shown, hours from now", "显示时间（距当前小时数）"));
    this.range.setAttribute("list", "timeline-marks");
    const marks = document.createElement("datalist");
    marks.id = "timeline-marks";
    marks.append(
      ...[-48, -24, 0, 24, 48].map((h) => Object.assign(document.createElement("option"), { value: `${h}` })),
    );
    const back = document.createElement("button");
    back.type = "button";
    back.textContent = say("Now (n)", "当前 (n)");
    this.play.type = "button";
    this.play.className = "quiet";
    this.play.addEventListener("click", () => this.playing ? this.stop() : this.run());
    this.pace.setAttribute("aria-label", say("Speed of the replay", "回放速度"));
    for (const [value, text] of [["2", "½×"], ["1", "1×"], ["0.4", "2½×"]]) {
      this.pace.append(Object.assign(document.createElement("option"), { value, textContent: text }));
    }
    this.pace.value = "1";
    this.pace.addEventListener("change", () => this.playing && this.run());
    this.range.addEventListener("input", () => this.move());
    this.range.addEventListener("change", () => {
      this.stop();
      void this.go(true);
    });
    back.addEventListener("click", () => this.toNow());
    addEventListener("cw:now", () => this.toNow());
    addEventListener("cw:clock", (event) => {
      this.now = Date.parse((event as CustomEvent<string>).detail);
      if (this.offset === 0) this.tell();
    });
    const scale = document.createElement("div");
    scale.className = "timeline-scale";
    scale.setAttribute("aria-hidden", "true");
    for (
      const h of [
        `−${past} h`,
        say("past", "历史"),
        say("now", "当前"),
        say("forecast", "预报"),
        `+${ahead} h`,
      ]
    ) {
      scale.append(Object.assign(document.createElement("span"), { textContent: h }));
    }
    const bar = document.createElement("div");
    bar.className = "timeline-bar";
    bar.append(this.range, marks, scale);
    const box = document.createElement("div");
    box.className = "timeline";
    const earlier = this.button("◀", say("one hour back", "后退1小时"), () => this.step(-1));
    const later = this.button("▶|", say("one hour on", "前进1小时"), () => this.step(1));
    box.append(bar, this.shown, earlier, this.play, later, this.pace, back);
    this.note.className = "frame-note";
    this.note.setAttribute("role", "status");
    document.querySelector("main")?.before(this.note);
    this.element.replaceChildren(box);
    this.stop();
    this.tell();
  }

  private get hours(): number {
    return Number(this.range.value);
  }

  /** Hours from now to the time shown. */
  private get offset(): number {
    return this.asked === null ? this.hours : (this.asked - this.now) / 3600e3;
  }

  private moment(): string {
    return new Date(this.asked ?? this.now + this.hours * 3600e3).toISOString();
  }

  /** The bar was moved: from here on whole hours from now count. */
  private move(): void {
    this.asked = null;
    this.tell();
  }

  private tell(): void {
    const off = this.offset;
    const time = localTime(this.moment());
    const mark = off < 0 ? say("PAST", "历史") : off > 0 ? say("FORECAST", "预报") : say("NOW", "当前");
    const far = `${off > 0 ? "+" : "−"}${Number(Math.abs(off).toFixed(1))} h`;
    this.shown.textContent = off ? `${mark} · ${time} (${far})` : `${mark} · ${time}`;
    this.shown.title = utc(this.moment());
    this.range.setAttribute("aria-valuetext", this.shown.textContent);
    document.body.classList.toggle("past", off < 0);
    document.body.classList.toggle("in-the-past", off < 0);
    document.body.classList.toggle("ahead", off > 0);
    if (this.asked === null) this.frame(off < 0 ? time : "");
    this.note.hidden = off <= 0;
    this.note.className = "frame-note ahead-note";
    this.note.textContent = off > 0
      ? say(`The map shows the forecast for ${time}.`, `地图显示${time}的预报。`)
      : "";
  }

  /** The words over the past while the bar moves; the page that follows brings its own, with the cycle shown. */
  private frame(time: string): void {
    const holder = document.querySelector<HTMLElement>('[data-live="past"]');
    if (!time) return holder?.replaceChildren();
    const note = document.createElement("p");
    note.className = "frame-note past-note";
    note.textContent = say(
      `The past: ${time}. Nothing below is now.`,
      `历史时刻：${time}。以下并非当前情况。`,
    );
    holder?.replaceChildren(note);
  }

  /** Tell the map; with ``whole`` the rest of the page follows. */
  private async go(whole: boolean): Promise<void> {
    const past = this.offset < 0;
    const at = past ? this.moment() : "";
    if (past && whole) this.asked = Date.parse(at);
    const detail: Moment = { at, lead: Math.max(0, this.hours) };
    dispatchEvent(new CustomEvent("cw:time", { detail }));
    if (!whole) return;
    const url = new URL(location.href);
    if (past) url.searchParams.set("at", at);
    else url.searchParams.delete("at");
    const moved = url.href !== location.href;
    history.replaceState(null, "", url);
    document.body.dataset.at = at;
    if (moved) await swap(url.href);
  }

  private toNow(): void {
    this.stop();
    this.range.value = "0";
    this.move();
    void this.go(true);
  }

  private button(text: string, label: string, act: () => void): HTMLButtonElement {
    const made = document.createElement("button");
    Object.assign(made, { type: "button", className: "quiet", textContent: text, title: label });
    made.setAttribute("aria-label", label);
    made.addEventListener("click", act);
    return made;
  }

  private step(hours: number): void {
    this.range.value = String(this.hours + hours);
    this.move();
    this.stop();
    void this.go(true);
  }

  private run(): void {
    clearInterval(this.playing);
    if (this.hours >= Number(this.range.max)) this.range.value = this.range.min;
    this.play.textContent = `❚❚ ${say("Pause", "暂停")}`;
    this.playing = setInterval(() => {
      if (this.hours >= Number(this.range.max)) return this.stop();
      this.range.value = String(this.hours + 1);
      this.move();
      void this.go(false);
    }, Number(this.pace.value) * (calm ? 2 * STEP_MS : STEP_MS));
  }

  private stop(): void {
    if (this.playing) {
      clearInterval(this.playing);
      void this.go(true);
    }
    this.playing = 0;
    this.play.textContent = `▶ ${say("Play", "播放")}`;
  }
}

export function mountTimeline(element: HTMLElement, props: Record<string, unknown>): void {
  new Timeline(element, props as unknown as TimelineProps).start();
}
