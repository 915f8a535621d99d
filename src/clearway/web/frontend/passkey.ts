// Passkeys: make one on the account page, use one at sign-in.

import { postJson, say } from "./house.ts";

function bytes(text: string): Uint8Array<ArrayBuffer> {
  const plain = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
  const out = new Uint8Array(new ArrayBuffer(plain.length));
  for (let i = 0; i < plain.length; i++) out[i] = plain.charCodeAt(i);
  return out;
}

function text(buffer: ArrayBuffer): string {
  const plain = String.fromCharCode(...new Uint8Array(buffer));
  return btoa(plain).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

// deno-lint-ignore no-explicit-any
type Options = any;

async function register(): Promise<void> {
  const options = await postJson<Options>("/account/passkey/options", {});
  options.challenge = bytes(options.challenge);
  options.user.id = bytes(options.user.id);
  for (const c of options.excludeCredentials ?? []) c.id = bytes(c.id);
  const made = await navigator.credentials.create({ publicKey: options }) as PublicKeyCredential;
  const response = made.response as AuthenticatorAttestationResponse;
  await postJson("/account/passkey", {
    id: made.id,
    rawId: text(made.rawId),
    type: made.type,
    response: {
      attestationObject: text(response.attestationObject),
      clientDataJSON: text(response.clientDataJSON),
    },
  });
  location.reload();
}

async function prove(next: string): Promise<void> {
  const options = await postJson<Options>("/signin/passkey/options", {});
  options.challenge = bytes(options.challenge);
  for (const c of options.allowCredentials ?? []) c.id = bytes(c.id);
  const used = await navigator.credentials.get({ publicKey: options }) as PublicKeyCredential;
  const response = used.response as AuthenticatorAssertionResponse;
  await postJson("/signin/passkey", {
    id: used.id,
    rawId: text(used.rawId),
    type: used.type,
    response: {
      authenticatorData: text(response.authenticatorData),
      clientDataJSON: text(response.clientDataJSON),
      signature: text(response.signature),
      userHandle: response.userHandle ? text(response.userHandle) : null,
    },
  });
  location.href = next;
}

function told(error: Error): string {
  if (error instanceof DOMException) {
    return say("No passkey was used. Try again, or use the code.", "未使用通行密钥，请重试或使用验证码。");
  }
  return error.message;
}

for (const element of document.querySelectorAll<HTMLElement>('[data-island="passkey"]')) {
  const props = JSON.parse(element.dataset.props || "{}") as { next?: string; make?: boolean };
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = props.make
    ? say("Add a passkey", "添加通行密钥")
    : say("Use a passkey", "使用通行密钥");
  const note = document.createElement("p");
  note.setAttribute("role", "alert");
  if (!("PublicKeyCredential" in globalThis)) {
    note.textContent = say(
      "This browser knows no passkeys; use the code.",
      "此浏览器不支持通行密钥，请使用验证码。",
    );
    button.disabled = true;
  } else if (/^[\d.]+$|^\[/.test(location.hostname)) {
    // A passkey is bound to a name, never to a number.
    const port = location.port ? `:${location.port}` : "";
    note.textContent = say(
      `Passkeys need a name: open http://localhost${port} instead.`,
      `通行密钥须通过域名使用：请改用 http://localhost${port} 打开。`,
    );
    button.disabled = true;
  }
  button.addEventListener("click", () => {
    const work = props.make ? register() : prove(props.next ?? "/console");
    work.catch((error: Error) => (note.textContent = told(error)));
  });
  element.replaceChildren(button, note);
}
