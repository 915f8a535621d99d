// One key anywhere: l logs, n returns to now, g then a letter goes to a screen, ? lists the keys.

import { say } from "./house.ts";

const SCREENS: Record<string, string> = {
  m: "/console",
  i: "/console/inbox",
  b: "/console/board",
  w: "/console/notices",
  d: "/console/dispatch",
  p: "/console/posts",
};

export function mountKeys(): void {
  let going = 0;
  document.addEventListener("keydown", (event) => {
    const target = event.target as HTMLElement;
    if (target.matches("input, textarea, select") || event.ctrlKey || event.metaKey || event.altKey) return;
    if (Date.now() - going < 1200 && SCREENS[event.key]) {
      location.href = SCREENS[event.key];
      event.preventDefault();
      return;
    }
    if (event.key === "g") going = Date.now();
    else if (event.key === "l") location.href = "/console/log";
    else if (event.key === "n") {
      dispatchEvent(new CustomEvent("cw:now"));
      const url = new URL(location.href);
      if (url.searchParams.has("at") && !document.querySelector('[data-island="timeline"]')) {
        url.searchParams.delete("at");
        location.href = url.href;
      }
    } else if (event.key === "?") help();
    else return;
    event.preventDefault();
  });
}

function help(): void {
  const dialog = document.createElement("dialog");
  const rows: [string, string][] = [
    ["l", say("log it now", "快速登记")],
    ["n", say("back to now", "回到当前")],
    [
      "g m / i / b / w / d / p",
      say("map, inbox, board, notices, dispatch, posts", "地图、待决、看板、公告、调度、岗位"),
    ],
    ["j / k / Enter", say("next, previous, open", "下一项、上一项、打开")],
    ["x", say("mark for bulk approval", "勾选批量采纳")],
  ];
  for (const [key, text] of rows) {
    const line = document.createElement("p");
    line.append(Object.assign(document.createElement("kbd"), { textContent: key }), ` ${text}`);
    dialog.append(line);
  }
  dialog.addEventListener("close", () => dialog.remove());
  dialog.addEventListener("click", () => dialog.close());
  document.body.append(dialog);
  dialog.showModal();
}
