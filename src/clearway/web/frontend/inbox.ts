// Deciding by keyboard: in the inbox j and k move, Enter opens, x marks for a bulk approval within one rule;
// on a proposal a, c, r and h go to approve, change, refuse and hand over. Nothing is decided by a single key.

import { forPage } from "./keys.ts";

export function mountInbox(element: HTMLElement): void {
  const cards = () => Array.from(element.querySelectorAll<HTMLElement>("[data-proposal]"));
  const current = () => cards().find((card) => card.contains(document.activeElement));
  const move = (step: number) => {
    const all = cards();
    if (!all.length) return;
    const at = all.findIndex((card) => card.contains(document.activeElement));
    const next = all[Math.min(Math.max(at + step, 0), all.length - 1)];
    (next.querySelector<HTMLElement>("a") ?? next).focus();
    next.scrollIntoView({ block: "nearest" });
  };
  document.addEventListener("keydown", (event) => {
    if (!forPage(event)) return;
    if (event.key === "j") move(1);
    else if (event.key === "k") move(-1);
    else if (event.key === "x") current()?.querySelector<HTMLInputElement>('input[type="checkbox"]')?.click();
    else if (event.key === "a") current()?.querySelector<HTMLElement>("form button")?.focus();
    else return;
    event.preventDefault();
  });
  const boxes = () =>
    Array.from(element.querySelectorAll<HTMLInputElement>('input[type="checkbox"][data-rule]'));
  element.addEventListener("change", () => {
    const rules = new Set(boxes().filter((b) => b.checked).map((b) => b.dataset.rule));
    for (const box of boxes()) box.disabled = rules.size > 0 && !rules.has(box.dataset.rule);
    const many = boxes().filter((b) => b.checked).length;
    const told = element.querySelector("[data-marked]");
    if (told) told.textContent = many ? `(${many})` : "";
  });
}

const VERBS: Record<string, string> = { a: "approve", c: "approve_changed", r: "refuse", h: "hand_over" };

/** Keys of one proposal's page. */
export function mountProposal(): void {
  if (!/^\/console\/inbox\/./.test(location.pathname)) return;
  document.addEventListener("keydown", (event) => {
    if (event.key === "w" && forPage(event)) {
      document.querySelector<HTMLElement>('a[href*="what_if="]')?.click();
    }
    const verb = VERBS[event.key];
    if (!verb || !forPage(event)) return;
    const form = document.querySelector(`input[name="verb"][value="${verb}"]`)?.closest("form");
    if (!form) return;
    const box = form.closest("details");
    if (box) box.open = true;
    const first = verb === "approve" ? "button" : "textarea, select, input:not([type=hidden])";
    form.querySelector<HTMLElement>(first)?.focus();
    event.preventDefault();
  });
}
