/**
 * How the pages come to a person's records: by a token of their own, for their browser session, for minutes.
 *
 * It is kept by this document alone, and ends with the browser session.
 */

import { ask, tell } from "./asking";
import type { Kind, SignedIn } from "./session";

const PURPOSES: Partial<Record<Kind, string>> = { patient: "PATRQT", proxy: "FAMRQT" };

export interface Given {
  access_token: string;
  expires_in: number;
}

/** A token of the person, for one purpose; the service says for how many seconds. */
export function tokenFor({ csrf }: SignedIn, purpose: string): Promise<Given> {
  return tell<Given>("/auth/login/token", { csrf, purpose });
}
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

async function bearer(person: SignedIn): Promise<string> {
  const { csrf, kind } = person;
  if (held?.csrf !== csrf || held.until < Date.now() + SPARE_MS) {
    const given = await tokenFor(person, PURPOSES[kind] ?? "");
    held = { csrf, header: `Bearer ${given.access_token}`, until: Date.now() + given.expires_in * 1000 };
  }
  return held.header;
}
