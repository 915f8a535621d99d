// Alarms that must not wait: a sound until somebody looks, the count in the title, silence by one click.

import { announce, say } from "./house.ts";

const KEY = "clearway-sound";
const PAUSE_MS = 20_000;

let context: AudioContext | null = null;
let last = 0;

function on(): boolean {
  return localStorage.getItem(KEY) !== "off";
}

/** Three short tones; browsers allow it once the page has been touched. */
function sound(): void {
  if (!on() || Date.now() - last < PAUSE_MS) return;
  if (!navigator.userActivation?.hasBeenActive) return;
  context ??= new AudioContext();
  last = Date.now();
  for (let i = 0; i < 3; i++) {
    const tone = context.createOscillator();
    const loud = context.createGain();
    tone.frequency.value = i === 1 ? 660 : 880;
    loud.gain.value = 0.12;
    tone.connect(loud).connect(context.destination);
    tone.start(context.currentTime + 0.25 * i);
    tone.stop(context.currentTime + 0.25 * i + 0.15);
  }
}

export function mountAlarms(): void {
  const holder = document.querySelector<HTMLElement>('[data-live="urgent"]') ?? document.body;
  let known = "";
  const look = () => {
    const box = holder.querySelector<HTMLElement>('[data-island="alarms"]');
    const words = box ? Array.from(box.querySelectorAll("a"), (a) => a.getAttribute("href")).join(" ") : "";
    if (box && !box.querySelector(".sound")) (box.querySelector("details") ?? box).append(button());
    if (words && words !== known) {
      sound();
      announce(say("An alarm is open", "有告警待处理"));
    }
    known = words;
    document.title = document.title.replace(/^⚠ /, "");
    if (words) document.title = `⚠ ${document.title}`;
  };
  addEventListener("cw:swapped", look);
  setInterval(() => known && sound(), PAUSE_MS);
  look();
}

function button(): HTMLElement {
  const made = document.createElement("button");
  made.type = "button";
  made.className = "plain small sound";
  const tell = () => {
    made.textContent = on() && !navigator.userActivation?.hasBeenActive
      ? say("Sound waits for a first click on this page", "点击页面后方可发声")
      : on()
      ? say("Sound is on: silence it", "声音已开：静音")
      : say("Sound is off: switch it on", "已静音：开启声音");
    made.setAttribute("aria-pressed", String(on()));
  };
  made.addEventListener("click", () => {
    localStorage.setItem(KEY, on() ? "off" : "on");
    tell();
  });
  tell();
  addEventListener("pointerdown", () => setTimeout(tell, 50), { once: true });
  addEventListener("keydown", () => setTimeout(tell, 50), { once: true });
  return made;
}
