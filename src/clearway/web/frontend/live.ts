// One stream of changes; every open view learns of a commit within two seconds.

import { announce, say } from "./house.ts";

interface Change {
  seq: number;
  kinds: string[];
  records: string[];
  board: string;
  now: string;
}

const REFRESHED: Record<string, string[]> = {
  "/console": ["proposal", "situation", "measure", "task", "notice", "incident", "post"],
  "/console/inbox": ["proposal", "measure", "notice"],
  "/console/board": ["measure", "task"],
  "/console/notices": ["notice"],
  "/console/posts": ["post"],
};

export function mountLive(element: HTMLElement): void {
  let wait = 1000;
  let source: EventSource | null = null;
  const show = (text: string, good: boolean) => {
    element.textContent = text;
    element.dataset.state = good ? "live" : "lost";
  };
  const connect = () => {
    source = new EventSource("/console/live");
    source.addEventListener("hello", () => {
      wait = 1000;
      show(say("live", "实时"), true);
    });
    source.addEventListener("change", (event) => changed(JSON.parse((event as MessageEvent).data)));
    source.addEventListener("cycle", () => dispatchEvent(new CustomEvent("cw:cycle")));
    source.addEventListener("resync", () => location.reload());
    source.addEventListener("bye", () => {
      source?.close();
      show(say("paused: too many windows", "已暂停：窗口过多"), false);
    });
    source.onerror = () => {
      source?.close();
      show(say("connection lost, trying again", "连接中断，正在重试"), false);
      setTimeout(connect, wait + Math.random() * wait);
      wait = Math.min(wait * 2, 30_000);
    };
  };
  connect();
  addEventListener("pagehide", () => source?.close());
}

function changed(change: Change): void {
  dispatchEvent(new CustomEvent("cw:change", { detail: change }));
  document.body.dataset.seq = String(change.seq);
  const wanted = REFRESHED[location.pathname] ?? [];
  if (change.kinds.some((kind) => wanted.includes(kind))) void refresh();
}

let refreshing = false;

/** Fetch the page anew and swap what is marked as live, keeping focus, forms being filled in, and scroll. */
async function refresh(): Promise<void> {
  if (refreshing) return;
  refreshing = true;
  try {
    const answer = await fetch(location.href, {
      headers: { accept: "text/html" },
      credentials: "same-origin",
    });
    if (!answer.ok) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const part of document.querySelectorAll<HTMLElement>("[data-live]")) {
      const other = fresh.querySelector(`[data-live="${part.dataset.live}"]`);
      if (!other || part.contains(document.activeElement) || part.innerHTML === other.innerHTML) continue;
      part.replaceChildren(...Array.from(other.childNodes));
      announce(say("Updated", "已更新"));
    }
  } finally {
    refreshing = false;
  }
}
