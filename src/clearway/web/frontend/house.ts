// What every island needs: language, CSRF, errors in words, times of the deployment.

export interface Words {
  en: string;
  zh: string;
}

export interface HouseError {
  code: string;
  what: string;
  where: string;
  hint: string;
  request_id: string;
  words?: Words;
}

const body = document.body;
export const lang: "en" | "zh" = body.dataset.lang === "en" ? "en" : "zh";
export const csrf = body.dataset.csrf ?? "";
export const zone = body.dataset.zone ?? "Asia/Shanghai";
export const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;

export function say(en: string, zh: string): string {
  return lang === "zh" ? zh : en;
}

export function words(value: Words | string | null | undefined): string {
  if (value === null || value === undefined) return "";
  return typeof value === "string" ? value : value[lang];
}

export function localTime(iso: string, withDate = true): string {
  const options: Intl.DateTimeFormatOptions = {
    hour: "2-digit",
    minute: "2-digit",
    hour12: false,
    timeZone: zone,
  };
  if (withDate) Object.assign(options, { month: "short", day: "numeric" });
  return new Intl.DateTimeFormat(lang === "zh" ? "zh-CN" : "en-GB", options).format(new Date(iso));
}

/** The same moment in UTC, as pages of the server say it on hover. */
export function utc(iso: string): string {
  return `${new Date(iso).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}

/** A moment to be read in local time, with UTC on hover. */
export function timeTag(iso: string, withDate = true): HTMLTimeElement {
  const made = document.createElement("time");
  made.dateTime = iso;
  made.title = utc(iso);
  made.textContent = localTime(iso, withDate);
  return made;
}

/** One language of a line that may hold both. */
export function oneLanguage(line: string): string {
  const [en, zh] = line.split(" ｜ ");
  return lang === "zh" ? zh ?? en : en;
}

export class Refused extends Error {
  constructor(readonly error: HouseError, readonly status: number) {
    const what = error.words ? words(error.words) : error.what;
    const hint = oneLanguage(error.hint);
    super(hint ? `${what}. ${hint}` : what);
  }
}

export async function getJson<T>(url: string): Promise<T> {
  const answer = await fetch(url, { headers: { accept: "application/json" }, credentials: "same-origin" });
  return await read<T>(answer);
}

export async function postJson<T>(url: string, value: unknown): Promise<T> {
  const answer = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", "x-csrf": csrf },
    body: JSON.stringify(value),
    credentials: "same-origin",
  });
  return await read<T>(answer);
}

/** Send a file as it is. */
export async function postBlob<T>(url: string, value: Blob): Promise<T> {
  const answer = await fetch(url, {
    method: "POST",
    headers: { "content-type": value.type, "x-csrf": csrf, accept: "application/json" },
    body: value,
    credentials: "same-origin",
  });
  return await read<T>(answer);
}

async function read<T>(answer: Response): Promise<T> {
  if (answer.status === 401 && !/^\/(signin|field)/.test(location.pathname)) {
    location.href = `/signin?next=${encodeURIComponent(location.pathname)}`;
  }
  if (!answer.ok) {
    const told = await answer.json().catch(() => ({}));
    const unknown: HouseError = {
      code: "error",
      what: answer.statusText,
      where: "",
      hint: "",
      request_id: "",
    };
    throw new Refused((told as { error?: HouseError }).error ?? unknown, answer.status);
  }
  return await answer.json() as T;
}

/** A key under which a command may be sent again without being done twice. */
export function newKey(prefix: string): string {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return `${prefix}-${Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("")}`;
}

export function decode(data: string): Uint8Array {
  const text = atob(data);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

/** Tell a screen reader and everybody else one line. */
export function announce(line: string): void {
  let region = document.getElementById("announce");
  if (!region) {
    region = document.createElement("div");
    region.id = "announce";
    region.setAttribute("role", "status");
    region.className = "announce";
    document.body.append(region);
  }
  region.textContent = line;
}

export type Mount = (element: HTMLElement, props: Record<string, unknown>) => void | Promise<void>;

export function mountAll(islands: Record<string, Mount>): void {
  for (const element of document.querySelectorAll<HTMLElement>("[data-island]")) {
    const mount = islands[element.dataset.island ?? ""];
    if (!mount || element.dataset.mounted) continue;
    element.dataset.mounted = "yes";
    const props = JSON.parse(element.dataset.props || "{}") as Record<string, unknown>;
    Promise.resolve(mount(element, props)).catch((error: Error) => {
      const note = document.createElement("p");
      note.setAttribute("role", "alert");
      note.textContent = `${say("This part could not be loaded", "此部分无法加载")}: ${error.message}`;
      element.append(note);
    });
  }
}
