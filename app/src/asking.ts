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

export function ask<T>(path: string): Promise<T> {
  return sent<T>(path, { method: "GET" });
}

export function tell<T>(path: string, body: object): Promise<T> {
  return sent<T>(path, {
    method: "POST",
    body: JSON.stringify(body),
    headers: { "Content-Type": "application/json" },
  });
}

async function sent<T>(path: string, request: RequestInit): Promise<T> {
  const headers = { Accept: "application/json", ...(request.headers as Record<string, string> | undefined) };
  const asked = { ...request, headers, credentials: "same-origin", redirect: "error", cache: "no-store" } as const;
  const answer = await fetch(path, asked).catch(() => {
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
