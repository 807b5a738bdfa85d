/** What stands around every page: the name, the language, one heading that is read out when the page changes. */

import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";

import { useSpeaking } from "../language";
import { Link } from "./link";

interface Framed {
  title: string;
  home?: boolean;
  children: ComponentChildren;
}

export function Frame({ title, home = false, children }: Framed) {
  const { texts, language, change } = useSpeaking();
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · ${texts.passport}`;
  }, [title, texts]);
  useEffect(() => {
    // Another page begins at its top, also where it comes in place of one that was scrolled, as after signing in;
    // whoever hears it rather than sees it is told that it is another one.
    scrollTo(0, 0);
    heading.current?.focus({ preventScroll: true });
  }, []);
  return (
    <>
      <a class="skip" href="#content">
        {texts.skip}
      </a>
      <header class="top">
        <span class="name">{texts.passport}</span>
        <button type="button" class="quiet" lang={language === "ja" ? "en" : "ja"} onClick={change}>
          {texts.otherLanguage}
        </button>
      </header>
      <main id="content">
        {home && (
          <p class="way">
            <Link to="/home">{texts.home}</Link>
          </p>
        )}
        <h1 ref={heading} tabIndex={-1}>
          {title}
        </h1>
        {children}
      </main>
    </>
  );
}
