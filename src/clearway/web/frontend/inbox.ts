// Inbox by keyboard: j and k move, Enter opens, x marks for a bulk approval within one rule.

export function mountInbox(element: HTMLElement): void {
  const cards = () => Array.from(element.querySelectorAll<HTMLElement>("[data-proposal]"));
  const move = (step: number) => {
    const all = cards();
    if (!all.length) return;
    const at = all.findIndex((card) => card.contains(document.activeElement));
    const next = all[Math.min(Math.max(at + step, 0), all.length - 1)];
    const link = next.querySelector<HTMLElement>("a") ?? next;
    link.focus();
    next.scrollIntoView({ block: "nearest" });
  };
  document.addEventListener("keydown", (event) => {
    const target = event.target as HTMLElement;
    if (target.matches("input, textarea, select") || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "j") move(1);
    else if (event.key === "k") move(-1);
    else if (event.key === "x") {
      const card = cards().find((c) => c.contains(document.activeElement));
      card?.querySelector<HTMLInputElement>('input[type="checkbox"]')?.click();
    } else return;
    event.preventDefault();
  });
  const boxes = () =>
    Array.from(element.querySelectorAll<HTMLInputElement>('input[type="checkbox"][data-rule]'));
  element.addEventListener("change", () => {
    const rules = new Set(boxes().filter((b) => b.checked).map((b) => b.dataset.rule));
    for (const box of boxes()) box.disabled = rules.size > 0 && !rules.has(box.dataset.rule);
  });
}
