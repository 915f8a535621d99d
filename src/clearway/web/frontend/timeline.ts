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
/** A bar that is being dragged shows the map of where it rests this long. */
const REST_MS = 150;
/** The page is of the moment shown when both agree to the minute. */
const SAME_MS = 60e3;

export class Timeline {
  private now: number;
  private range = document.createElement("input");
  private shown = document.createElement("output");
  private play = document.createElement("button");
  private pace = document.createElement("select");
  private note = document.createElement("p");
  private playing = 0;
  private resting = 0;
  /** On which side of now the page was last asked for. */
  private side = 0;
  /** The page's own words about the past, put aside while the bar says its own. */
  private aside: ChildNode[] = [];
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
    this.range.addEventListener("input", () => this.drag());
    this.range.addEventListener("change", () => {
      this.halt();
      void this.go(true);
    });
    back.addEventListener("click", () => this.toNow());
    addEventListener("cw:now", () => this.toNow());
    addEventListener("cw:clock", (event) => {
      this.now = Date.parse((event as CustomEvent<string>).detail);
      if (this.offset === 0) this.tell();
    });
    addEventListener("cw:swapped", () => this.tell());
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
    this.halt();
    this.side = this.sign;
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

  /** Past, now or forecast: −1, 0 or 1. */
  private get sign(): number {
    return Math.sign(this.offset);
  }

  /** Whether the rest of the page is of the moment the bar shows; a forecast stands beside the lists of now. */
  private get inStep(): boolean {
    const page = document.body.dataset.at;
    if (this.offset >= 0) return !page;
    return Boolean(page) && Math.abs(Date.parse(page as string) - Date.parse(this.moment())) < SAME_MS;
  }

  /** The bar was moved: whole hours from now count from here on, and whoever crosses now takes the page along. */
  private move(hours: number): void {
    this.range.value = String(hours);
    this.asked = null;
    void this.go(this.sign !== this.side);
  }

  private drag(): void {
    this.halt();
    this.asked = null;
    if (this.sign !== this.side) return void this.go(true);
    this.tell();
    this.resting = setTimeout(() => void this.go(false), REST_MS);
  }

  private tell(): void {
    const off = this.offset;
    const time = localTime(this.moment());
    const mark = off < 0 ? say("PAST", "历史") : off > 0 ? say("FORECAST", "预报") : say("NOW", "当前");
    const far = `${off > 0 ? "+" : "−"}${Number(Math.abs(off).toFixed(1))} h`;
    this.shown.textContent = off ? `${mark} · ${time} (${far})` : `${mark} · ${time}`;
    this.shown.title = utc(this.moment());
    this.range.setAttribute("aria-valuetext", this.shown.textContent);
    const page = document.body.dataset.at;
    const past = off < 0 || Boolean(page);
    const ahead = off > 0 && !page;
    document.body.classList.toggle("past", past);
    document.body.classList.toggle("in-the-past", past);
    document.body.classList.toggle("ahead", ahead);
    this.hold();
    this.frame(
      this.inStep ? "" : off < 0
        ? say(
          `The past: ${time}. Nothing below is now. Lists are paused while the time moves.`,
          `历史时刻：${time}。以下并非当前情况。时间移动期间列表暂停显示。`,
        )
        : say(
          `Coming back from the past (${localTime(page as string)}). Lists are paused until then.`,
          `正在从历史时刻（${localTime(page as string)}）返回，返回前列表暂停显示。`,
        ),
    );
    this.note.hidden = !ahead;
    this.note.className = "frame-note ahead-note";
    this.note.textContent = ahead
      ? say(`The map shows the forecast for ${time}.`, `地图显示${time}的预报。`)
      : "";
  }

  /** Lists of another moment than the one shown are hidden, and words stand in their place. */
  private hold(): void {
    const words = this.playing
      ? say("Paused while playing", "播放期间暂停显示")
      : say("Paused while the time moves", "时间移动期间暂停显示");
    for (const part of document.querySelectorAll<HTMLElement>("main [data-live]")) {
      if (this.inStep) delete part.dataset.held;
      else part.dataset.held = words;
    }
  }

  /** Words over a page that is not of the moment shown; a page that is brings its own, with the cycle shown. */
  private frame(words: string): void {
    const holder = document.querySelector<HTMLElement>('[data-live="past"]');
    if (!holder) return;
    const ours = holder.querySelector<HTMLElement>("[data-moving]");
    if (!words) {
      if (ours) holder.replaceChildren(...this.aside);
      return;
    }
    const note = ours ?? document.createElement("p");
    if (!ours) {
      this.aside = Array.from(holder.childNodes);
      note.className = "frame-note past-note";
      note.dataset.moving = "yes";
      note.setAttribute("role", "status");
      holder.replaceChildren(note);
    }
    if (note.textContent !== words) note.textContent = words;
  }

  /**
   * Tell the map; with ``whole`` the rest of the page follows. What the page shows decides which moment it is of
   * (``data-at``), so the frame of the past stays until the page of now is really there.
   */
  private async go(whole: boolean): Promise<void> {
    clearTimeout(this.resting);
    const past = this.offset < 0;
    const at = past ? this.moment() : "";
    if (past && whole) this.asked = Date.parse(at);
    if (whole) this.side = this.sign;
    this.tell();
    const detail: Moment = { at, lead: Math.max(0, this.hours) };
    dispatchEvent(new CustomEvent("cw:time", { detail }));
    if (!whole) return;
    const url = new URL(location.href);
    if (past) url.searchParams.set("at", at);
    else url.searchParams.delete("at");
    const moved = url.href !== location.href;
    history.replaceState(null, "", url);
    if (moved || !this.inStep) await swap();
  }

  private toNow(): void {
    this.halt();
    this.range.value = "0";
    this.asked = null;
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
    this.halt();
    this.range.value = String(this.hours + hours);
    this.asked = null;
    void this.go(true);
  }

  private run(): void {
    clearInterval(this.playing);
    this.play.textContent = `❚❚ ${say("Pause", "暂停")}`;
    this.playing = setInterval(() => {
      if (this.hours >= Number(this.range.max)) return this.stop();
      this.move(this.hours + 1);
    }, Number(this.pace.value) * (calm ? 2 * STEP_MS : STEP_MS));
    if (this.hours >= Number(this.range.max)) this.move(Number(this.range.min));
  }

  /** No more moves of its own. */
  private halt(): void {
    clearInterval(this.playing);
    clearTimeout(this.resting);
    this.playing = 0;
    this.play.textContent = `▶ ${say("Play", "播放")}`;
  }

  /** Stand still, and the page comes along. */
  private stop(): void {
    this.halt();
    void this.go(true);
  }
}

export function mountTimeline(element: HTMLElement, props: Record<string, unknown>): void {
  new Timeline(element, props as unknown as TimelineProps).start();
}
