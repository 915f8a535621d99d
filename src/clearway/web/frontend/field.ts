// The field page: tasks on a phone in the cold. What cannot be sent now waits in an outbox on the device,
// is counted in plain sight, can be saved to a file, and is never dropped before the server has said "done".

import { getJson, localTime, newKey, postJson, say, type Words, words } from "./house.ts";

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
  problem?: string;
}

const VERBS: Record<string, string> = {
  acknowledge: say("Got it", "收到"),
  start: say("Start", "开始"),
  report: say("Report", "报告"),
  done: say("Done", "完成"),
  decline: say("Cannot", "无法执行"),
};

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
  private sending = false;

  constructor(private readonly element: HTMLElement) {}

  async start(): Promise<void> {
    this.status.className = "outbox";
    this.status.setAttribute("role", "status");
    const save = document.createElement("button");
    save.type = "button";
    save.textContent = say("Save unsent to a file", "将未发送内容另存为文件");
    save.addEventListener("click", () => void this.export());
    this.element.replaceChildren(this.status, this.troubles, this.list, save);
    this.tasks = (await this.outbox.kept<Task[]>("tasks")) ?? [];
    await this.draw();
    await this.sync();
    addEventListener("online", () => void this.sync());
    setInterval(() => void this.sync(), 20_000);
    if ("serviceWorker" in navigator) await navigator.serviceWorker.register("/sw.js", { scope: "/" });
    await navigator.storage?.persist?.();
  }

  private async sync(): Promise<void> {
    if (this.sending) return;
    this.sending = true;
    try {
      const items = (await this.outbox.all()).filter((i) => !i.problem);
      items.sort((a, b) => a.at.localeCompare(b.at));
      if (items.length) {
        const answer = await postJson<
          { results: { key: string; status: string; error?: { what: string } }[] }
        >(
          "/console/field/sync",
          { items },
        );
        for (const result of answer.results) {
          const item = items.find((i) => i.key === result.key);
          if (!item || result.status === "retry") continue;
          if (result.status === "done") await this.outbox.drop(item.key);
          else await this.outbox.put({ ...item, problem: result.error?.what ?? result.status });
        }
      }
      const fresh = await getJson<{ tasks: Task[] }>("/console/field.json");
      this.tasks = fresh.tasks;
      await this.outbox.keep("tasks", fresh.tasks);
      this.element.dataset.online = "yes";
    } catch {
      this.element.dataset.online = "no";
    } finally {
      this.sending = false;
      await this.draw();
    }
  }

  private async act(task: Task, verb: string): Promise<void> {
    const data: Record<string, unknown> = {};
    const now = new Date(Date.now() - Number(document.body.dataset.offset ?? 0)).toISOString();
    if (verb === "done" || verb === "report") {
      const note = prompt(say("What did you see or do? (one line)", "现场情况（一行）")) ?? "";
      data.evidence = [{
        text: { en: note || "done", zh: note || "已完成" },
        valid_at: now,
        source: "field crew",
      }];
      if (verb === "done") data.done_at = now;
    }
    const reason = verb === "decline" ? prompt(say("Why?", "原因？")) ?? "" : "";
    if (verb === "decline" && !reason) return;
    await this.outbox.put({
      key: newKey("field"),
      kind: "task",
      verb,
      record_id: task.id,
      data,
      reason,
      at: now,
    });
    const next: Record<string, [string, string[]]> = {
      acknowledge: ["acknowledged", ["start", "done", "decline"]],
      start: ["started", ["report", "done"]],
      done: ["done", []],
      decline: ["open", []],
    };
    if (next[verb]) [task.state, task.verbs] = next[verb];
    await this.outbox.keep("tasks", this.tasks);
    await this.draw();
    await this.sync();
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
    this.list.replaceChildren(...this.tasks.map((task) => this.card(task)));
    if (!this.tasks.length) this.list.textContent = say("No task.", "暂无任务。");
  }

  private trouble(item: Item): HTMLElement {
    const box = document.createElement("div");
    box.className = "card level-orange";
    box.setAttribute("role", "alert");
    const text = document.createElement("p");
    text.textContent = `${VERBS[item.verb] ?? item.verb}, ${localTime(item.at)}: ${item.problem}`;
    const again = document.createElement("button");
    again.type = "button";
    again.textContent = say("Send again", "重新发送");
    again.addEventListener("click", async () => {
      const { problem: _, ...clean } = item;
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
      button.addEventListener("click", () => void this.act(task, verb));
      buttons.append(button);
    }
    card.append(title, facts, buttons);
    if (task.instruction) {
      card.append(Object.assign(document.createElement("p"), { textContent: words(task.instruction) }));
    }
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
  void new FieldPage(element).start();
}
