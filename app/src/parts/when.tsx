/** An instant as people read it, in the time of their own clock. */

import { useSpeaking } from "../language";

export function When({ at }: { at: string }) {
  const { language } = useSpeaking();
  const told = new Intl.DateTimeFormat(language === "ja" ? "ja-JP" : "en-GB", {
    dateStyle: "medium",
    timeStyle: "short",
  }).format(new Date(at));
  return <time dateTime={at}>{told}</time>;
}

/** A name and what it says, one below the other. */
export function Facts({ children }: { children: [string, preact.ComponentChildren][] }) {
  return (
    <dl>
      {children.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
