/** In which language the pages speak: the person's choice, else what their browser asks for. */

import { createContext } from "preact";
import type { ComponentChildren } from "preact";
import { useContext, useEffect, useState } from "preact/hooks";

import { TEXTS } from "./texts";
import type { Texts } from "./texts";

export type Language = keyof typeof TEXTS;
export type Words = Record<Language, string>;

const KEPT = "passport-language";

interface Speaking {
  language: Language;
  texts: Texts;
  change: () => void;
}

const Spoken = createContext<Speaking>({ language: "ja", texts: TEXTS.ja, change: () => undefined });

export function useSpeaking(): Speaking {
  return useContext(Spoken);
}

export function useTexts(): Texts {
  return useContext(Spoken).texts;
}

export function Speaks({ children }: { children: ComponentChildren }) {
  const [language, setLanguage] = useState(preferred);
  useEffect(() => {
    document.documentElement.lang = language;
  }, [language]);
  const change = () => {
    const other = language === "ja" ? "en" : "ja";
    keep(other);
    setLanguage(other);
  };
  return <Spoken.Provider value={{ language, texts: TEXTS[language], change }}>{children}</Spoken.Provider>;
}

function preferred(): Language {
  const kept = keptChoice();
  if (kept === "ja" || kept === "en") return kept;
  return navigator.language.toLowerCase().startsWith("en") ? "en" : "ja";
}

// A browser that keeps nothing for a page throws; the choice is then good for this page alone.
function keptChoice(): string | null {
  try {
    return localStorage.getItem(KEPT);
  } catch {
    return null;
  }
}

function keep(language: Language): void {
  try {
    localStorage.setItem(KEPT, language);
  } catch {
    return;
  }
}
