/** What became of what the person did: read out when it changes, and never a reason to look for it. */

import { useEffect, useRef } from "preact/hooks";

import { Refusal } from "../asking";
import type { Texts } from "../texts";

export interface Told {
  kind: "good" | "bad";
  text: string;
}

export function Notice({ told }: { told: Told | null }) {
  const alert = useRef<HTMLDivElement>(null);
  useEffect(() => {
    // A refusal is met where it stands, however far down the page it was asked from; the keyboard goes on from there.
    if (told?.kind === "bad") alert.current?.focus();
  }, [told]);
  return (
    <>
      <div role="status">{told?.kind === "good" && <p class="notice good">{told.text}</p>}</div>
      <div role="alert" ref={alert} tabIndex={-1}>{told?.kind === "bad" && <p class="notice bad">{told.text}</p>}</div>
    </>
  );
}

export function good(text: string): Told {
  return { kind: "good", text };
}

export function bad(text: string): Told {
  return { kind: "bad", text };
}

/** A refusal in words; `known` says what a status means on this page. */
export function refused(error: unknown, texts: Texts, known: Partial<Record<number, string>> = {}): Told {
  const status = error instanceof Refusal ? error.status : 0;
  const general: Partial<Record<number, string>> = {
    0: texts.unreachable,
    401: texts.signedOutMeanwhile,
    404: texts.gone,
    409: texts.changedMeanwhile,
    429: texts.tooMany,
    503: texts.unreachable,
  };
  return bad(known[status] ?? general[status] ?? texts.refused);
}
