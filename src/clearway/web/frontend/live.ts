// One stream of changes; every open view learns of a commit within two seconds.

import { announce, localTime, say } from "./house.ts";

export interface Change {
  seq: number;
  kinds: string[];
  records: string[];
  more?: boolean;
  board: string;
  now: string;
}

/** What the head of every page shows: counts, the post, what was said on the spot. Alarms have an event of their own. */
const HEAD = ["proposal", "notice", "override", "post"];
/** What a page shows besides; a page that is not named here shows everything. */
const NEEDS: [RegExp, string[]][] = [
  [/^\/console$/, ["situation", "measure", "task", "incident"]],
  [/^\/console\/inbox$/, ["measure"]],
  [/^\/console\/board$/, ["measure", "task"]],
  [/^\/console\/notices$/, []],
  [/^\/console\/dispatch$/, ["task", "unit", "measure"]],
];
const PAUSE_MS = 400;
/** After a restart all windows come back: spread over two seconds and a half, then twice as far each time. */
const FIRST_WAIT_MS = 1200;
const LONGEST_WAIT_MS = 30_000;
const SHAPES = { live: "●", behind: "◐", lost: "○", paused: "‖" };

export function mountLive(element: HTMLElement, props: Record<string, unknown>): void {
  let wait = FIRST_WAIT_MS;
  let known = Number(props.seq ?? document.body.dataset.seq ?? 0);
  let alarms = String(props.alarms ?? "");
  let source: EventSource | null = null;
  const calling = (mark: string) => {
    if (mark === alarms) return;
    alarms = mark;
    askRefresh(true);
  };
  let told: { text: string; state: "live" | "lost" | "paused" } = { text: "", state: "lost" };
  const show = (text: string, state: "live" | "lost" | "paused") => {
    told = { text, state };
    draw();
  };
  const draw = () => {
    const state = behind && told.state === "live" ? "behind" : told.state;
    const late = behind ? behindWords() : "";
    const text = state === "behind" ? late : late ? `${told.text} · ${late}` : told.text;
    element.textContent = `${SHAPES[state]} ${text}`;
    element.dataset.state = state;
  };
  addEventListener("cw:behind", draw);
  const connect = () => {
    source = new EventSource(`/console/live?seq=${known}`);
    source.addEventListener("hello", (event) => {
      wait = FIRST_WAIT_MS;
      const told = JSON.parse((event as MessageEvent).data);
      tellNow(told.now);
      calling(told.alarms);
      show(say("live", "实时"), "live");
    });
    source.addEventListener("change", (event) => {
      const change = JSON.parse((event as MessageEvent).data) as Change;
      known = change.seq;
      changed(change);
    });
    source.addEventListener("alarms", (event) => {
      const told = JSON.parse((event as MessageEvent).data);
      tellNow(told.now);
      calling(told.alarms);
    });
    source.addEventListener("cycle", (event) => {
      tellNow(JSON.parse((event as MessageEvent).data).now);
      dispatchEvent(new CustomEvent("cw:cycle"));
      askRefresh();
    });
    source.addEventListener("resync", () => {
      dispatchEvent(new CustomEvent("cw:cycle"));
      askRefresh();
    });
    source.addEventListener("bye", () => {
      source?.close();
      show(
        say("not live: too many windows, or signed out; reload", "已停止更新：窗口过多或已退出，请刷新"),
        "paused",
      );
    });
    source.onerror = () => {
      source?.close();
      show(say("connection lost, trying again", "连接中断，正在重试"), "lost");
      setTimeout(connect, wait * (0.5 + 2 * Math.random()));
      wait = Math.min(wait * 2, LONGEST_WAIT_MS);
    };
  };
  show(say("connecting", "连接中"), "lost");
  connect();
  document.addEventListener("focusout", () => stale && askRefresh());
  addEventListener("pagehide", () => source?.close());
  addEventListener("pageshow", (event) => (event as PageTransitionEvent).persisted && location.reload());
}

function tellNow(now: string | undefined): void {
  if (!now) return;
  document.body.dataset.now = now;
  dispatchEvent(new CustomEvent("cw:clock", { detail: now }));
}

function changed(change: Change): void {
  document.body.dataset.seq = String(change.seq);
  tellNow(change.now);
  dispatchEvent(new CustomEvent("cw:change", { detail: change }));
  const path = location.pathname;
  const record = /\/(record|inbox|notices)\/([^/]+)$/.exec(path)?.[2];
  const need = NEEDS.find(([where]) => where.test(path))?.[1];
  const mine = record
    ? change.more || change.records.includes(record)
    : !need || change.kinds.some((k) => need.includes(k));
  const head = change.kinds.some((k) => HEAD.includes(k));
  if (mine || head) askRefresh(head);
}

let asked = 0;
let stale = false;
let running = false;
/** The house's time when a refresh first failed; empty while the page is up to date. */
let behind = "";
let again = 0;
let pause = FIRST_WAIT_MS;

function behindWords(): string {
  const time = localTime(behind, false);
  return say(`behind since ${time}, trying again`, `自${time}起未更新，正在重试`);
}

/**
 * Bring the page's live parts up to date soon; many wishes become one request, the last is never lost.
 * A page of the past stays as it is but for its ``head``: alarms and counts are always those of now.
 */
export function askRefresh(head = false): void {
  if (document.body.dataset.at && !head) return;
  asked++;
  if (!running && !again && document.querySelector("[data-live]")) void refresh();
}

async function refresh(): Promise<void> {
  running = true;
  try {
    for (let done = -1; done !== asked;) {
      await new Promise((later) => setTimeout(later, PAUSE_MS * (0.5 + Math.random())));
      done = asked;
      if (!await swap()) break;
    }
  } finally {
    running = false;
  }
}

/** A refresh failed: say so, and try again later and later, each window at a time of its own. */
function fellBehind(): void {
  if (!behind) {
    behind = document.body.dataset.now || new Date().toISOString();
    announce(behindWords());
    dispatchEvent(new CustomEvent("cw:behind"));
  }
  clearTimeout(again);
  again = setTimeout(() => {
    again = 0;
    if (!running) void refresh();
  }, pause * (0.5 + Math.random()));
  pause = Math.min(pause * 2, LONGEST_WAIT_MS);
}

function caughtUp(): void {
  clearTimeout(again);
  again = 0;
  pause = FIRST_WAIT_MS;
  if (!behind) return;
  behind = "";
  dispatchEvent(new CustomEvent("cw:behind"));
}

/** The page at this window's address, or null where none came: an error, a sign-in page, no connection. */
async function fetched(): Promise<Document | null> {
  try {
    const answer = await fetch(location.href, {
      headers: { accept: "text/html" },
      credentials: "same-origin",
    });
    if (!answer.ok || answer.redirected) return null;
    return new DOMParser().parseFromString(await answer.text(), "text/html");
  } catch {
    return null;
  }
}

let swaps = 0;

/**
 * Fetch this window's address and swap what is marked as live, keeping focus, forms being filled in, and scroll.
 * Of several at once the one asked for last counts, whichever answer comes first. Where the moment shown is
 * another one, focus keeps nothing: words of then must not stand beside those of now. False after a failure,
 * which is said and tried again.
 */
export async function swap(): Promise<boolean> {
  const mine = ++swaps;
  const fresh = await fetched();
  if (mine !== swaps) return true;
  if (!fresh) {
    fellBehind();
    return false;
  }
  const at = fresh.body.dataset.at ?? "";
  const moved = at !== (document.body.dataset.at ?? "");
  let swapped = false;
  stale = false;
  for (const part of document.querySelectorAll<HTMLElement>("[data-live]")) {
    const other = fresh.querySelector<HTMLElement>(`[data-live="${part.dataset.live}"]`);
    if (!other || sameWords(part, other)) continue;
    if ((part.contains(document.activeElement) && !moved) || dirty(part)) {
      stale = true;
      continue;
    }
    const open = Array.from(part.querySelectorAll("details"), (d) => d.open);
    part.replaceChildren(...Array.from(other.childNodes));
    part.querySelectorAll("details").forEach((d, i) => (d.open = open[i] ?? d.open));
    swapped = true;
  }
  document.title = fresh.title || document.title;
  document.body.dataset.at = at;
  caughtUp();
  if (swapped) announce(say("Updated", "已更新"));
  if (swapped || moved) dispatchEvent(new CustomEvent("cw:swapped"));
  return true;
}

/** Whether two versions of a part differ only in the one-time keys of their forms. */
function sameWords(a: HTMLElement, b: HTMLElement): boolean {
  const plain = (e: HTMLElement) =>
    e.innerHTML.replace(/name="key" value="[^"]*"/g, "").replace(/ open(="")?(?=[ >])/g, "");
  return plain(a) === plain(b);
}

function dirty(part: HTMLElement): boolean {
  if (part.querySelector("form[data-typed]")) return true;
  const fields = part.querySelectorAll<HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement>(
    "input, textarea, select",
  );
  return Array.from(fields).some((field) => {
    if (field instanceof HTMLSelectElement) return false;
    if (field instanceof HTMLInputElement && /checkbox|radio/.test(field.type)) {
      return field.checked !== field.defaultChecked;
    }
    return field.type !== "hidden" && field.value !== field.defaultValue;
  });
}
