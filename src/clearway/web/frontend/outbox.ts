// The outbox of a phone: everything entered waits on the device until the server has said "done" to it.

import type { Words } from "./house.ts";

export interface Item {
  key: string;
  kind: string;
  verb: string;
  record_id: string;
  data: Record<string, unknown>;
  reason: string;
  at: string;
  /** Who entered it: nobody else may send it in their own name. */
  account?: string;
  name?: string;
  title?: Words;
  problem?: string;
  present?: string;
  /** A picture to be sealed with the record. */
  photo?: Blob;
}

/** What a saved file holds: the item with its picture as text. */
type Saved = Omit<Item, "photo"> & { photo?: string };

export class Outbox {
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
      transaction.onabort = () => reject(transaction.error);
    });
  }

  put = (item: Item) => this.run("items", "readwrite", (s) => s.put(item));
  drop = (key: string) => this.run("items", "readwrite", (s) => s.delete(key));
  keep = (name: string, value: unknown) => this.run("kept", "readwrite", (s) => s.put(value, name));
  kept = <T>(name: string) => this.run<T | undefined>("kept", "readonly", (s) => s.get(name));

  /** Everything that waits, in the order in which it was entered. */
  async all(): Promise<Item[]> {
    const items = await this.run<Item[]>("items", "readonly", (s) => s.getAll());
    return items.sort((a, b) => a.at.localeCompare(b.at));
  }

  /** Everything that waits as text, pictures included. */
  async save(): Promise<string> {
    const saved: Saved[] = [];
    for (const { photo, ...rest } of await this.all()) {
      saved.push(photo ? { ...rest, photo: await asText(photo) } : rest);
    }
    return JSON.stringify(saved, null, 1);
  }

  /** Take back what was saved; an entry that is here already, or was sent already, is not done twice. */
  async load(text: string): Promise<number> {
    const saved = JSON.parse(text) as Saved[];
    const known = new Set((await this.all()).map((item) => item.key));
    let taken = 0;
    for (const { photo, ...rest } of saved) {
      if (typeof rest.key !== "string" || typeof rest.record_id !== "string" || known.has(rest.key)) continue;
      await this.put(photo ? { ...rest, photo: asBlob(photo) } : rest);
      taken++;
    }
    return taken;
  }
}

function asText(blob: Blob): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(blob);
  });
}

function asBlob(text: string): Blob {
  const [head, body] = text.split(",");
  const plain = atob(body);
  const bytes = new Uint8Array(plain.length);
  for (let i = 0; i < plain.length; i++) bytes[i] = plain.charCodeAt(i);
  return new Blob([bytes], { type: /data:([^;]+)/.exec(head)?.[1] ?? "image/jpeg" });
}

const LONGEST_PX = 2048;

/** A picture small enough for a bad line, turned upright, without what the camera wrote into it. */
export async function shrink(file: Blob): Promise<Blob> {
  const picture = await createImageBitmap(file, { imageOrientation: "from-image" });
  const scale = Math.min(1, LONGEST_PX / Math.max(picture.width, picture.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(picture.width * scale);
  canvas.height = Math.round(picture.height * scale);
  canvas.getContext("2d")?.drawImage(picture, 0, 0, canvas.width, canvas.height);
  picture.close();
  return await new Promise((resolve, reject) =>
    canvas.toBlob((made) => made ? resolve(made) : reject(new Error("no picture")), "image/jpeg", 0.85)
  );
}
