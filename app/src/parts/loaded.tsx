/** What a page shows once the service has answered. */

import type { ComponentChildren } from "preact";
import { useCallback, useEffect, useState } from "preact/hooks";

import { useTexts } from "../language";
import { Notice, refused } from "./notice";

export type Answer<T> = { is: "waiting" } | { is: "there"; value: T } | { is: "refused"; error: unknown };

/** Asks once, and again by the function that comes with it; what is shown stays until the new answer is there. */
export function useAnswer<T>(load: () => Promise<T>): [Answer<T>, () => Promise<void>] {
  const [answer, setAnswer] = useState<Answer<T>>({ is: "waiting" });
  const again = useCallback(async () => {
    try {
      setAnswer({ is: "there", value: await load() });
    } catch (error) {
      setAnswer({ is: "refused", error });
    }
  }, [load]);
  useEffect(() => {
    void again();
  }, [again]);
  return [answer, again];
}

interface Shown<T> {
  answer: Answer<T>;
  again: () => Promise<void>;
  children: (value: T) => ComponentChildren;
}

export function Loaded<T>({ answer, again, children }: Shown<T>) {
  const texts = useTexts();
  if (answer.is === "waiting") return <p class="waiting">{texts.loading}</p>;
  if (answer.is === "there") return <>{children(answer.value)}</>;
  return (
    <>
      <Notice told={refused(answer.error, texts)} />
      <button type="button" onClick={again}>
        {texts.retry}
      </button>
    </>
  );
}
