// A short tour of the demo for whoever opens it first; it can be skipped and does not come back.

import { say } from "./house.ts";

const KEY = "clearway-tour";

const STEPS: [string, string][] = [
  [
    "h1",
    say("What is wrong: the level reached, and the situations behind it.", "现况：已达到的级别及其成因。"),
  ],
  [
    '[data-island="map"]',
    say(
      "The map: every road by its computed condition. Click a road for its last and next 24 hours.",
      "地图：按计算的路面状况着色。点击道路查看前后24小时。",
    ),
  ],
  [
    '[data-island="timeline"]',
    say(
      "One bar for past, now and forecast. The key n always brings you back to now.",
      "时间轴：历史、当前与预报。按 n 随时回到当前。",
    ),
  ],
  [
    '[data-live="decide"]',
    say(
      "What to decide, sorted by what waiting costs. Each proposal names its rule, its law and its evidence.",
      "待决事项，按等待损失排序。每条建议均注明规则、法律依据与证据。",
    ),
  ],
  [
    '[data-live="due"]',
    say("What is due, late or forgotten. Nothing here ends in silence.", "到期、逾期与遗漏事项，一项不漏。"),
  ],
];

export function mountTour(): void {
  if (!document.body.dataset.simulated || location.pathname !== "/console" || localStorage.getItem(KEY)) {
    return;
  }
  let at = 0;
  const card = document.createElement("aside");
  card.className = "tour";
  card.setAttribute("aria-label", say("Short tour", "简要导览"));
  const text = document.createElement("p");
  text.setAttribute("role", "status");
  const next = Object.assign(document.createElement("button"), { type: "button" });
  const skip = Object.assign(document.createElement("button"), {
    type: "button",
    className: "quiet",
    textContent: say("Skip", "跳过"),
  });
  const mark = (on: boolean) => document.querySelector(STEPS[at][0])?.classList.toggle("toured", on);
  const end = () => {
    mark(false);
    localStorage.setItem(KEY, "seen");
    card.remove();
  };
  const show = () => {
    text.textContent = `${at + 1}/${STEPS.length} · ${STEPS[at][1]}`;
    next.textContent = at + 1 < STEPS.length ? say("Next", "下一步") : say("Done", "完成");
    mark(true);
    if (at) document.querySelector(STEPS[at][0])?.scrollIntoView({ block: "nearest" });
  };
  next.addEventListener("click", () => {
    if (at + 1 === STEPS.length) return end();
    mark(false);
    at++;
    show();
  });
  skip.addEventListener("click", end);
  card.append(text, next, skip);
  document.body.append(card);
  show();
}
