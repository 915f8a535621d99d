// One key anywhere: l logs, n returns to now, g then a letter goes to a screen, ? lists the keys.

import { say } from "./house.ts";

const SCREENS: Record<string, string> = {
  m: "/console",
  i: "/console/inbox",
  b: "/console/board",
  w: "/console/notices",
  d: "/console/dispatch",
  p: "/console/posts",
  f: "/field",
  r: "/console/report",
};

/** Whether a key is meant for the page: not for a field that is being filled in, nor for the browser. */
export function forPage(event: KeyboardEvent): boolean {
  const target = event.target as HTMLElement;
  const typing = target.matches("input:not([type=range]):not([type=checkbox]), textarea, select");
  return !typing && !event.ctrlKey && !event.metaKey && !event.altKey &&
    !document.querySelector("dialog[open]");
}

export function mountKeys(): void {
  let going = 0;
  document.addEventListener("keydown", (event) => {
    if (!forPage(event) || event.defaultPrevented) return;
    if (Date.now() - going < 1200 && SCREENS[event.key]) {
      location.href = SCREENS[event.key];
      event.preventDefault();
      return;
    }
    going = 0;
    if (event.key === "g") going = Date.now();
    else if (event.key === "l") location.href = logHere();
    else if (event.key === "n") now();
    else if (event.key === "?") help();
    else return;
    event.preventDefault();
  });
}

/** The entry page, with the road that is being looked at. */
function logHere(): string {
  const road = /^\/console\/road\/([^/]+)$/.exec(location.pathname)?.[1];
  return road ? `/console/log?road=${road}` : "/console/log";
}

function now(): void {
  dispatchEvent(new CustomEvent("cw:now"));
  const url = new URL(location.href);
  if (url.searchParams.has("at") && !document.querySelector(".timeline")) {
    url.searchParams.delete("at");
    location.href = url.href;
  }
}

function help(): void {
  const dialog = document.createElement("dialog");
  dialog.setAttribute("aria-label", say("Keys", "快捷键"));
  const rows: [string, string][] = [
    ["l", say("log it now", "快速登记")],
    ["n", say("back to now", "回到当前")],
    [
      "g m / i / b / w / d / p / f / r",
      say(
        "map, inbox, board, notices, dispatch, posts, field, report",
        "地图、待决、看板、公告、调度、岗位、现场、报告",
      ),
    ],
    ["j / k", say("next, previous proposal", "下一项、上一项建议")],
    ["Enter", say("open; on the map: the road in the middle", "打开；在地图上：查看中心道路")],
    ["x", say("mark for bulk approval", "勾选批量采纳")],
    ["a", say("go to the approve button (Enter presses it)", "转到采纳按钮（回车确认）")],
    ["c / r / h", say("change, refuse, hand over the open proposal", "修改、不采纳、转交当前建议")],
    ["w", say("compute what the open proposal would change", "推演当前建议的影响")],
    ["Esc", say("close", "关闭")],
  ];
  const list = document.createElement("dl");
  list.className = "facts";
  for (const [key, text] of rows) {
    const term = document.createElement("dt");
    term.append(Object.assign(document.createElement("kbd"), { textContent: key }));
    list.append(term, Object.assign(document.createElement("dd"), { textContent: text }));
  }
  const close = Object.assign(document.createElement("button"), {
    type: "button",
    textContent: say("Close", "关闭"),
  });
  close.addEventListener("click", () => dialog.close());
  dialog.append(list, close);
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}
