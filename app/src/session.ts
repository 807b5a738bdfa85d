/** Who is signed in at this browser. */

import { createContext } from "preact";
import { useContext } from "preact/hooks";

import { ask } from "./asking";

export type Kind = "patient" | "proxy" | "practitioner" | "operator" | "auditor" | "clerk" | "approver";

export interface SignedIn {
  signed_in: true;
  login: string;
  kind: Kind;
  methods: string[];
  purposes: string[];
  needs: "second-factor" | null;
  csrf: string;
}

/** `passkeys` is whether this installation has any: they are for the name of a host, and no number. */
export type Somebody = (SignedIn | { signed_in: false }) & { passkeys: boolean };

export function whoIsHere(): Promise<Somebody> {
  return ask<Somebody>("/auth/login");
}

/** The person who is signed in, on pages that are shown to nobody else. */
export const Person = createContext<SignedIn | null>(null);

export function usePerson(): SignedIn {
  const person = useContext(Person);
  if (person === null) throw new Error("expected a page within `Person`");
  return person;
}
