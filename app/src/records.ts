/**
 * How the pages come to a person's records: by a token of their own, for their browser session, for minutes.
 *
 * It is kept by this document alone, and ends with the browser session.
 */

import { ask, tell } from "./asking";
import type { Kind, SignedIn } from "./session";

const PURPOSES: Partial<Record<Kind, string>> = { patient: "PATRQT", proxy: "FAMRQT" };
const SPARE_MS = 30_000;

interface Held {
  csrf: string;
  header: string;
  until: number;
}

let held: Held | null = null;

export async function askAs<T>(person: SignedIn, path: string): Promise<T> {
  return ask<T>(path, { Authorization: await bearer(person) });
}

export async function tellAs<T>(person: SignedIn, path: string, body: object): Promise<T> {
  return tell<T>(path, body, { Authorization: await bearer(person) });
}

async function bearer({ csrf, kind }: SignedIn): Promise<string> {
  if (held?.csrf !== csrf || held.until < Date.now() + SPARE_MS) {
    const wanted = { csrf, purpose: PURPOSES[kind] ?? "" };
    const given = await tell<{ access_token: string; expires_in: number }>("/auth/login/token", wanted);
    held = { csrf, header: `Bearer ${given.access_token}`, until: Date.now() + given.expires_in * 1000 };
  }
  return held.header;
}
