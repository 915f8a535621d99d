// The field page: tasks on a phone in the cold. What cannot be sent now waits in an outbox on the device,
// is counted in plain sight, can be saved to a file, and is never dropped before the server has said "done".

import {
  getJson,
  localTime,
  newKey,
  postBlob,
  postJson,
  Refused,
  say,
  timeTag,
  utc,
  type Words,
  words,
} from "./house.ts";
import { type Item, Outbox, shrink } from "./outbox.ts";

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
  attach: say("Photo", "拍照"),
};
/** What is seen most, one touch instead of typing in gloves. */
const SEEN = [
  say("road clear", "路面畅通"),
  say("wet", "路面湿滑"),
  say("slush", "融雪"),
  say("packed snow", "压实雪"),
  say("ice", "结冰"),
  say("salted", "已撒盐"),
  say("ploughed", "已推雪"),
];

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

class FieldPage {
  private outbox = new Outbox();
  private tasks: Task[] = [];
  private status = document.createElement("p");
  private list = document.createElement("div");
  private troubles = document.createElement("div");
  private link = document.createElement("p");
  private sending = false;
  private pictures = new Map<string, string>();
  private form: { task: string; verb: string } | null = null;
  private readonly shelf: string;
  private save = document.createElement("p");

  constructor(
    private readonly element: HTMLElement,
    private readonly unit: string,
    private readonly account: string,
    private readonly name: string,
  ) {
    this.shelf = `tasks ${unit}`;
  }

  /** Whether an entry is this person's to send; older ones name nobody. */
  private mine(item: Item): boolean {
    return !item.account || item.account === this.account;
  }

  async start(): Promise<void> {
    this.status.className = "outbox";
    this.status.setAttribute("role", "status");
    this.save.className = "saving";
    this.link.setAttribute("role", "status");
    this.element.replaceChildren(this.status, this.link, this.troubles, this.list, this.save);
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
    const items = (await this.outbox.all()).filter((i) => !i.problem && this.mine(i));
    for (let from = 0; from < items.length;) {
      if (items[from].photo) {
        await this.sendPhoto(items[from++]);
        continue;
      }
      let to = from + 1;
      while (to < items.length && to - from < BATCH && !items[to].photo) to++;
      const part = items.slice(from, to);
      from = to;
      const bare = part.map(({ title: _, account: __, name: ___, ...item }) => item);
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

  /** A picture goes by itself, after what was entered before it. */
  private async sendPhoto(item: Item): Promise<void> {
    const query = new URLSearchParams({ field: "photos", key: item.key });
    try {
      await postBlob(`/api/v1/records/${item.kind}/${item.record_id}/sealed?${query}`, item.photo as Blob);
      await this.outbox.drop(item.key);
    } catch (error) {
      const refused = error instanceof Refused && [404, 409, 413, 422].includes(error.status);
      const forbidden = error instanceof Refused && error.status === 403 &&
        error.error.code === "forbidden" &&
        !error.error.what.includes("CSRF");
      if (!refused && !forbidden) throw error;
      await this.outbox.put({ ...item, problem: (error as Error).message });
    }
  }

  /** Take a picture into the outbox. */
  private async photo(task: Task, file: File): Promise<void> {
    let made: Blob;
    try {
      made = await shrink(file);
    } catch {
      this.list.querySelector(`[data-task="${task.id}"] .told`)!.textContent = say(
        "This picture cannot be read. Take it as JPEG.",
        "无法读取该图片，请使用JPEG格式。",
      );
      return;
    }
    await this.outbox.put({
      ...this.entry(task, "attach", {}, ""),
      photo: made,
    });
    await this.draw();
    await this.sync();
  }

  private entry(task: Task, verb: string, data: Record<string, unknown>, reason: string): Item {
    return {
      key: newKey("field"),
      kind: "task",
      verb,
      record_id: task.id,
      data,
      reason,
      at: now(),
      account: this.account,
      name: this.name,
      title: task.headline,
    };
  }

  /** Put an act into the outbox, show it as done here, and try to send it. */
  private async act(task: Task, verb: string, data: Record<string, unknown>, reason = ""): Promise<void> {
    await this.outbox.put(this.entry(task, verb, data, reason));
    const next: Record<string, [string, string[]]> = {
      acknowledge: ["acknowledged", ["start", "done", "attach", "decline"]],
      start: ["started", ["report", "done", "attach"]],
      done: ["done", ["attach"]],
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
    if (verb !== "decline") {
      const quick = document.createElement("p");
      quick.className = "quick";
      for (const seen of SEEN) {
        const chip = Object.assign(document.createElement("button"), { type: "button", textContent: seen });
        chip.className = "quiet";
        chip.addEventListener("click", () => {
          note.value = note.value.trim() ? `${note.value.trim()}${say(", ", "，")}${seen}` : seen;
        });
        quick.append(chip);
      }
      form.append(quick);
    }
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
    const waiting = items.filter((i) => !i.problem && this.mine(i)).length;
    this.pictures = new Map();
    for (const item of items.filter((i) => i.photo && !i.problem)) {
      const count = items.filter((i) => i.photo && !i.problem && i.record_id === item.record_id).length;
      this.pictures.set(item.record_id, say(`${count} photo(s) not sent yet`, `${count}张照片未发送`));
    }
    this.element.dataset.unsent = String(waiting);
    this.status.textContent = waiting
      ? say(`${waiting} not sent yet; kept on this phone`, `${waiting}条未发送，已保存在本机`)
      : say("Everything is sent", "全部已发送");
    this.status.className = waiting ? "outbox waiting" : "outbox";
    const others = items.filter((i) => !i.problem && !this.mine(i));
    this.troubles.replaceChildren(
      ...items.filter((i) => i.problem).map((item) => this.trouble(item)),
      ...(others.length ? [this.strangers(others)] : []),
    );
    this.saving(items.length);
    // A form that is being filled in stays where it is, whatever comes from the server.
    if (this.form && this.list.querySelector("form")) return;
    this.list.replaceChildren(...this.tasks.map((task) => this.card(task)));
    if (!this.tasks.length) this.list.textContent = say("No task.", "暂无任务。");
  }

  /** Entries of somebody else who used this phone: they wait for that person. */
  private strangers(items: Item[]): HTMLElement {
    const box = document.createElement("p");
    box.className = "card level-yellow";
    const names = [...new Set(items.map((i) => i.name || i.account))].join(", ");
    box.textContent = say(
      `${items.length} entered by ${names}, not sent yet: they must sign in on this phone, or save to a file.`,
      `${names}录入的${items.length}条尚未发送：须由其本人在本机登录发送，或另存为文件。`,
    );
    return box;
  }

  /** Saving to a file is offered when there is something to save; taking a file back, always. */
  private saving(count: number): void {
    const parts: HTMLElement[] = [];
    if (count) {
      const save = document.createElement("button");
      save.type = "button";
      save.className = "quiet";
      save.textContent = say("Save unsent to a file", "将未发送内容另存为文件");
      save.addEventListener("click", () => void this.export());
      parts.push(save);
    }
    const label = document.createElement("label");
    label.className = "small soft";
    const input = Object.assign(document.createElement("input"), { type: "file", accept: ".json" });
    input.addEventListener("change", () => void this.import(input));
    label.append(say("Take back a saved file", "载入已保存的文件"), input);
    const box = document.createElement("details");
    const summary = document.createElement("summary");
    summary.className = "small soft";
    summary.textContent = say("Saved files", "已保存的文件");
    box.append(summary, label);
    parts.push(box);
    if (this.save.querySelector("details[open]")) return;
    this.save.replaceChildren(...parts);
  }

  private async import(input: HTMLInputElement): Promise<void> {
    const file = input.files?.[0];
    if (!file) return;
    let line: string;
    try {
      const taken = await this.outbox.load(await file.text());
      line = say(`${taken} entries taken back`, `已载入${taken}条`);
    } catch {
      line = say("This is no file saved here.", "不是本页面保存的文件。");
    }
    this.save.querySelector("details")?.removeAttribute("open");
    this.link.textContent = line;
    await this.draw();
    await this.sync();
    if (!this.link.textContent) this.link.textContent = line;
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
    text.title = utc(item.at);
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
    facts.append(
      words(task.roads),
      ...(task.due ? [` · ${say("due", "时限")} `, timeTag(task.due)] : []),
      rate,
    );
    const buttons = document.createElement("p");
    buttons.className = "big-buttons";
    for (const verb of task.verbs.filter((v) => VERBS[v])) {
      if (verb === "attach") {
        buttons.append(this.camera(task));
        continue;
      }
      const button = document.createElement("button");
      button.type = "button";
      button.dataset.verb = verb;
      if (verb === "decline") button.className = "quiet";
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
    const told = document.createElement("p");
    told.className = "told";
    told.setAttribute("role", "status");
    told.textContent = this.pictures.get(task.id) ?? "";
    card.append(told);
    if (this.form?.task === task.id) card.append(this.ask(task, this.form.verb));
    else card.append(buttons);
    return card;
  }

  /** One touch opens the camera. */
  private camera(task: Task): HTMLElement {
    const label = document.createElement("label");
    label.className = "button camera";
    label.tabIndex = 0;
    label.append(VERBS.attach);
    const input = document.createElement("input");
    input.type = "file";
    input.accept = "image/*";
    input.setAttribute("capture", "environment");
    input.className = "announce";
    input.tabIndex = -1;
    input.addEventListener("change", () => {
      const file = input.files?.[0];
      if (file) void this.photo(task, file);
    });
    label.addEventListener("keydown", (event) => {
      if (event.key === "Enter" || event.key === " ") input.click();
    });
    label.append(input);
    return label;
  }

  private async export(): Promise<void> {
    const blob = new Blob([await this.outbox.save()], { type: "application/json" });
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = `clearway-unsent-${Date.now()}.json`;
    link.click();
    URL.revokeObjectURL(link.href);
  }
}

for (const element of document.querySelectorAll<HTMLElement>('[data-island="field"]')) {
  const props = JSON.parse(element.dataset.props || "{}") as {
    unit?: string;
    account?: string;
    name?: string;
  };
  void new FieldPage(element, props.unit ?? "", props.account ?? "", props.name ?? "").start();
}
