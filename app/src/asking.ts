/** How the pages ask the service: JSON of the same origin, with the cookie that only the browser knows. */

/** What the service did not carry out; `status` 0 is that it was not reached. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly error = "",
  ) {
    super(`refused with ${String(status)}`);
  }
}

/** Told to the window where the service knows nobody at this browser any more. */
export const SIGNED_OUT = "passport-signed-out";

export function ask<T>(path: string, headers: Record<string, string> = {}): Promise<T> {
  return sent<T>(path, { method: "GET", headers });
}

export function tell<T>(path: string, body: object, headers: Record<string, string> = {}): Promise<T> {
  const sending = { "Content-Type": "application/json", ...headers };
  return sent<T>(path, { method: "POST", body: JSON.stringify(body), headers: sending });
}

interface Sending {
  method: string;
  headers: Record<string, string>;
  body?: string;
}

async function sent<T>(path: string, sending: Sending): Promise<T> {
  const headers = { Accept: "application/json", ...sending.headers };
  const request = { ...sending, headers, credentials: "same-origin", redirect: "error", cache: "no-store" } as const;
  const answer = await fetch(path, request).catch(() => {
    throw new Refusal(0);
  });
  const text = await answer.text();
  const content: unknown = text === "" ? null : read(text);
  if (answer.status === 401) dispatchEvent(new Event(SIGNED_OUT));
  if (!answer.ok) throw new Refusal(answer.status, named(content));
  return content as T;
}

function read(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Refusal(0);
  }
}

function named(content: unknown): string {
  const error = content !== null && typeof content === "object" && "error" in content ? content.error : "";
  return typeof error === "string" ? error : "";
}
