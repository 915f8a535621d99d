// The field page: tasks on a phone in the cold. What cannot be sent now waits in an outbox on the device,
// is counted in plain sight, can be saved to a file, and is never dropped before the server has said "done".

import { getJson, localTime, newKey, postJson, Refused, say, type Words, words } from "./house.ts";

interface Task {
  id: string;
  version: number;
  state: string;
  headline: Words;
  roads: Words;
  due: string | null;
  instruction: Words | null;
  action: string | null;
  rate_g_m2: number | null;
  verbs: string[];
}

interface Item {
  key: string;
  kind: string;
  verb: string;
  record_id: string;
  data: Record<string, unknown>;
  reason: string;
  at: string;
  title?: Words;
  problem?: string;
  present?: string;
}

interface Answer {
  key: string;
  status: "done" | "conflict" | "refused" | "retry";
  error?: { what: string; words?: Words; hint?: string };
  present?: { state: string; version: number; updated_at: string };
}

const VERBS: Record<string, string> = {
  acknowledge: say("Got it", "收到"),
  start: say("Start", "开始"),
  report: say("Report", "报告"),
  done: say("Done", "完成"),
  decline: say("Cannot", "无法执行"),
};

const STATES: Record<string, string> = {
  open: say("new", "待接收"),
  acknowledged: say("acknowledged", "已接收"),
  started: say("started", "进行中"),
  done: say("done", "已完成"),
};
const BATCH = 100;

/** The present of the deployment, which in a replay is not the machine's. */
function now(): string {
  return new Date(Date.now() - Number(document.body.dataset.offset ?? 0)).toISOString();
}

class Outbox {
  private opened: Promise<IDBDatabase>;

  constructor() {
    this.opened = new Promise((resolve, reject) => {
      const request = indexedDB.open("clearway-field", 1);
      request.onupgradeneeded = () => {
        request.result.createObjectStore("items", { keyPath: "key" });
        request.result.createObjectStore("kept");
      };
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
  }

  private async run<T>(
    store: string,
    mode: IDBTransactionMode,
    act: (s: IDBObjectStore) => IDBRequest<T>,
  ): Promise<T> {
    const database = await this.opened;
    return await new Promise((resolve, reject) => {
      const transaction = database.transaction(store, mode, { durability: "strict" });
      const request = act(transaction.objectStore(store));
      transaction.oncomplete = () => resolve(request.result);
      transaction.onerror = () => reject(transaction.error);
    });
  }

  put = (item: Item) => this.run("items", "readwrite", (s) => s.put(item));
  drop = (key: string) => this.run("items", "readwrite", (s) => s.delete(key));
  all = () => this.run<Item[]>("items", "readonly", (s) => s.getAll());
  keep = (name: string, value: unknown) => this.run("kept", "readwrite", (s) => s.put(value, name));
  kept = <T>(name: string) => this.run<T | undefined>("kept", "readonly", (s) => s.get(name));
}

class FieldPage {
  private outbox = new Outbox();
  private tasks: Task[] = [];
  private status = document.createElement("p");
  private list = document.createElement("div");
  private troubles = document.createElement("div");
  private link = document.createElement("p");
  private sending = false;
  private form: { task: string; verb: string } | null = null;
  private readonly shelf: string;

  constructor(private readonly element: HTMLElement, private readonly unit: string) {
    this.shelf = `tasks ${unit}`;
  }

  async start(): Promise<void> {
    this.status.className = "outbox";
    this.status.setAttribute("role", "status");
    const save = document.createElement("button");
    save.type = "button";
    save.textContent = say("Save unsent to a file", "将未发送内容另存为文件");
    save.addEventListener("click", () => void this.export());
    this.link.setAttribute("role", "status");
    this.element.replaceChildren(this.status, this.link, this.troubles, this.list, save);
    this.tasks = (await this.outbox.kept<Task[]>(this.shelf)) ?? [];
    await this.draw();
    await this.sync();
    addEventListener("online", () => void this.sync());
    addEventListener("offline", () => this.online("no"));
    setInterval(() => void this.sync(), 20_000);
    if ("serviceWorker" in navigator) await navigator.serviceWorker.register("/sw.js", { scope: "/field" });
    await navigator.storage?.persist?.();
  }

  private async sync(): Promise<void> {
    if (this.sending) return;
    this.sending = true;
    try {
      await this.send();
      const query = this.unit ? `?unit=${encodeURIComponent(this.unit)}` : "";
      const fresh = await getJson<{ tasks: Task[]; now: string }>(`/console/field.json${query}`);
      // What was done here while the answer was under way is not overwritten by it.
      if (!(await this.outbox.all()).some((item) => !item.problem)) this.tasks = fresh.tasks;
      await this.outbox.keep(this.shelf, this.tasks);
      document.body.dataset.offset = String(Date.now() - Date.parse(fresh.now));
      this.online("yes");
    } catch (error) {
      this.online(error instanceof Refused && [401, 403].includes(error.status) ? "signed-out" : "no");
    } finally {
      this.sending = false;
      await this.draw();
    }
  }

  private online(state: "yes" | "no" | "signed-out"): void {
    this.element.dataset.online = state;
    const line = state === "no"
      ? say("No connection. Everything is kept here.", "无网络连接，内容已保存在本机。")
      : "";
    this.link.textContent = line;
    if (state !== "signed-out") return;
    const again = Object.assign(document.createElement("a"), {
      href: "/signin?next=/field",
      textContent: say(
        "Signed out: sign in again to send. Nothing is lost.",
        "登录已失效：请重新登录后发送，内容不会丢失。",
      ),
    });
    this.link.replaceChildren(again);
  }

  private async send(): Promise<void> {
    const items = (await this.outbox.all()).filter((i) => !i.problem);
    items.sort((a, b) => a.at.localeCompare(b.at));
    for (let from = 0; from < items.length; from += BATCH) {
      const part = items.slice(from, from + BATCH);
      const bare = part.map(({ title: _, ...item }) => item);
      const answer = await postJson<{ results: Answer[] }>("/console/field/sync", { items: bare });
      for (const result of answer.results) {
        const item = part.find((i) => i.key === result.key);
        if (!item || result.status === "retry") continue;
        if (result.status === "done") await this.outbox.drop(item.key);
        else {
          const problem = result.error?.words
            ? words(result.error.words)
            : result.error?.what ?? result.status;
          await this.outbox.put({ ...item, problem, present: result.present?.state });
        }
      }
    }
  }

  /** Put an act into the outbox, show it as done here, and try to send it. */
  private async act(task: Task, verb: string, data: Record<string, unknown>, reason = ""): Promise<void> {
    await this.outbox.put({
      key: newKey("field"),
      kind: "task",
      verb,
      record_id: task.id,
      data,
      reason,
      at: now(),
      title: task.headline,
    });
    const next: Record<string, [string, string[]]> = {
      acknowledge: ["acknowledged", ["start", "done", "decline"]],
      start: ["started", ["report", "done"]],
      done: ["done", []],
      decline: ["open", []],
    };
    if (next[verb]) [task.state, task.verbs] = next[verb];
    await this.outbox.keep(this.shelf, this.tasks);
    this.form = null;
    await this.draw();
    await this.sync();
  }

  /** The small form of what was seen or done, or why it cannot be done. */
  private ask(task: Task, verb: string): HTMLElement {
    const form = document.createElement("form");
    form.className = "stack";
    const field = (label: string, input: HTMLElement) => {
      const box = document.createElement("label");
      box.append(label, input);
      form.append(box);
    };
    const note = document.createElement("textarea");
    note.rows = 2;
    note.maxLength = 2000;
    note.required = verb !== "report";
    note.name = "note";
    field(verb === "decline" ? say("Why not?", "原因") : say("What was seen or done", "现场情况"), note);
    const value = Object.assign(document.createElement("input"), { name: "value", inputMode: "decimal" });
    const unit = Object.assign(document.createElement("input"), { name: "unit", maxLength: 20, value: "°C" });
    if (verb !== "decline") {
      field(say("Reading (optional)", "读数（可选）"), value);
      field(say("Unit of the reading", "读数单位"), unit);
    }
    const send = Object.assign(document.createElement("button"), { textContent: VERBS[verb] });
    const drop = Object.assign(document.createElement("button"), {
      type: "button",
      className: "quiet",
      textContent: say("Cancel", "取消"),
    });
    const buttons = document.createElement("p");
    buttons.className = "big-buttons";
    buttons.append(send, drop);
    form.append(buttons);
    drop.addEventListener("click", () => {
      this.form = null;
      void this.draw();
    });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const words = note.value.trim();
      if (verb === "decline") return void this.act(task, verb, {}, words);
      const reading = Number(value.value.replace(",", ".").replace("−", "-"));
      const evidence = {
        text: { en: words || VERBS[verb], zh: words || VERBS[verb] },
        valid_at: now(),
        source: say("field crew", "现场班组"),
        ...(value.value.trim() && Number.isFinite(reading)
          ? { value: reading, unit: unit.value.trim() }
          : {}),
      };
      void this.act(task, verb, { evidence: [evidence], ...(verb === "done" ? { done_at: now() } : {}) });
    });
    queueMicrotask(() => note.focus());
    return form;
  }

  private async draw(): Promise<void> {
    const items = await this.outbox.all();
    const waiting = items.filter((i) => !i.problem).length;
    this.element.dataset.unsent = String(waiting);
    this.status.textContent = waiting
      ? say(`${waiting} not sent yet; kept on this phone`, `${waiting}条未发送，已保存在本机`)
      : say("Everything is sent", "全部已发送");
    this.status.className = waiting ? "outbox waiting" : "outbox";
    this.troubles.replaceChildren(...items.filter((i) => i.problem).map((item) => this.trouble(item)));
    // A form that is being filled in stays where it is, whatever comes from the server.
    if (this.form && this.list.querySelector("form")) return;
    this.list.replaceChildren(...this.tasks.map((task) => this.card(task)));
    if (!this.tasks.length) this.list.textContent = say("No task.", "暂无任务。");
  }

  private trouble(item: Item): HTMLElement {
    const box = document.createElement("div");
    box.className = "card level-orange";
    box.setAttribute("role", "alert");
    const text = document.createElement("p");
    text.textContent = `${VERBS[item.verb] ?? item.verb}, ${localTime(item.at)}, ${
      words(item.title)
    }: ${item.problem}${
      item.present ? ` (${say("the task is now", "任务现为")}: ${STATES[item.present] ?? item.present})` : ""
    }`;
    const again = document.createElement("button");
    again.type = "button";
    again.textContent = say("Send again", "重新发送");
    again.addEventListener("click", async () => {
      const { problem: _, present: __, ...clean } = item;
      await this.outbox.put(clean);
      await this.sync();
    });
    const drop = document.createElement("button");
    drop.type = "button";
    drop.textContent = say("Give up this entry", "放弃此条");
    drop.addEventListener("click", async () => {
      if (!confirm(say("Give up this entry for good?", "确定放弃此条记录？"))) return;
      await this.outbox.drop(item.key);
      await this.draw();
    });
    box.append(text, again, drop);
    return box;
  }

  private card(task: Task): HTMLElement {
    const card = document.createElement("article");
    card.className = "card task";
    card.dataset.task = task.id;
    card.dataset.state = task.state;
    const title = document.createElement("h2");
    title.textContent = words(task.headline);
    const facts = document.createElement("p");
    const rate = task.rate_g_m2 ? ` · ${task.rate_g_m2} g/m²` : "";
    const due = task.due ? `${say("due", "时限")} ${localTime(task.due)}` : "";
    facts.textContent = `${words(task.roads)} · ${due}${rate}`;
    const buttons = document.createElement("p");
    buttons.className = "big-buttons";
    for (const verb of task.verbs.filter((v) => VERBS[v])) {
      const button = document.createElement("button");
      button.type = "button";
      button.dataset.verb = verb;
      button.textContent = VERBS[verb];
      button.addEventListener("click", () => {
        if (verb === "acknowledge" || verb === "start") return void this.act(task, verb, {});
        this.form = null;
        this.list.querySelector("form")?.remove();
        this.form = { task: task.id, verb };
        void this.draw();
      });
      buttons.append(button);
    }
    const state = document.createElement("span");
    state.className = "chip plain";
    state.textContent = STATES[task.state] ?? task.state;
    facts.prepend(state, " ");
    card.append(title, facts);
    if (task.instruction) {
      card.append(Object.assign(document.createElement("p"), { textContent: words(task.instruction) }));
    }
    if (this.form?.task === task.id) card.append(this.ask(task, this.form.verb));
    else card.append(buttons);
    return card;
  }

  private async export(): Promise<void> {
    const blob = new Blob([JSON.stringify(await this.outbox.all(), null, 1)], { type: "application/json" });
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = `clearway-unsent-${Date.now()}.json`;
    link.click();
    URL.revokeObjectURL(link.href);
  }
}

for (const element of document.querySelectorAll<HTMLElement>('[data-island="field"]')) {
  const props = JSON.parse(element.dataset.props || "{}") as { unit?: string };
  void new FieldPage(element, props.unit ?? "").start();
}
