/** Where the person is signed in, which apps they allowed, and the end of any of it. */

import type { ComponentChildren } from "preact";
import { useCallback, useState } from "preact/hooks";

import { ask, tell } from "../asking";
import { useSpeaking, useTexts } from "../language";
import type { Words } from "../language";
import { Frame } from "../parts/frame";
import { Loaded, useAnswer } from "../parts/loaded";
import { Notice, good, refused } from "../parts/notice";
import type { Told } from "../parts/notice";
import { Question } from "../parts/question";
import type { Asked } from "../parts/question";
import { Facts, When } from "../parts/when";
import { usePerson } from "../session";

interface Open {
  id: string;
  since: string;
  until: string;
}

interface Browser extends Open {
  methods: string[];
  browser: string | null;
  last_seen: string;
  this_one: boolean;
}

interface App extends Open {
  name: string;
  purpose: string;
  may: { scope: string; means: Words }[];
  offline: boolean;
}

interface Session extends Open {
  purpose: string;
  through?: string;
  emergency?: boolean;
}

interface Overview {
  browsers: Browser[];
  apps: App[];
  sessions: Session[];
}

export function Sessions({ onSignedOut }: { onSignedOut: () => void }) {
  const texts = useTexts();
  const { csrf } = usePerson();
  const [answer, again] = useAnswer(useCallback(() => ask<Overview>("/auth/sessions"), []));
  const [asked, setAsked] = useState<Asked | null>(null);
  const [told, setTold] = useState<Told | null>(null);

  const ended = async (id: string, here: boolean) => {
    try {
      await tell(`/auth/sessions/${id}/end`, { csrf });
      if (here) {
        onSignedOut();
        return;
      }
      await again();
      setTold(good(texts.ended));
    } catch (error) {
      await again();
      setTold(refused(error, texts, { 401: texts.passkeyFresh }));
    }
  };
  const end = (id: string, name: string, yes: string, here = false) => {
    const text = here ? texts.sureToEndHere : texts.sureToEnd(name);
    setAsked({ text, yes, then: () => void ended(id, here) });
  };

  return (
    <Frame title={texts.homeSessions} home>
      <Notice told={told} />
      <Loaded answer={answer} again={again}>
        {({ browsers, apps, sessions }) => (
          <>
            <Listed title={texts.browsers}>
              {browsers.map((one) => (
                <OneBrowser
                  key={one.id}
                  one={one}
                  onEnd={(yes) => {
                    end(one.id, one.browser ?? texts.aBrowser, yes, one.this_one);
                  }}
                />
              ))}
            </Listed>
            <Listed title={texts.apps} none={texts.noApps}>
              {apps.map((one) => (
                <OneApp
                  key={one.id}
                  one={one}
                  onEnd={() => {
                    end(one.id, one.name, texts.endApp);
                  }}
                />
              ))}
            </Listed>
            <Listed title={texts.otherSessions} none={texts.noSessions}>
              {sessions.map((one) => (
                <OneSession
                  key={one.id}
                  one={one}
                  onEnd={() => {
                    end(one.id, texts.aSession, texts.end);
                  }}
                />
              ))}
            </Listed>
          </>
        )}
      </Loaded>
      <Question
        asked={asked}
        onClose={() => {
          setAsked(null);
        }}
      />
    </Frame>
  );
}

function Listed({ title, none = "", children }: { title: string; none?: string; children: ComponentChildren[] }) {
  return (
    <section>
      <h2>{title}</h2>
      {children.length === 0 ? <p>{none}</p> : <ul class="cards">{children}</ul>}
    </section>
  );
}

function OneBrowser({ one, onEnd }: { one: Browser; onEnd: (yes: string) => void }) {
  const texts = useTexts();
  const ending = one.this_one ? texts.endHere : texts.end;
  const how = one.methods.map((each) => texts.methods[each.replace(/:.*/, "")] ?? each).join(", ");
  return (
    <li class="card">
      <h3>{one.browser ?? texts.unknownBrowser}</h3>
      {one.this_one && <p class="badge">{texts.thisOne}</p>}
      <Facts>
        {[
          [texts.how, how],
          [texts.since, <When at={one.since} />],
          [texts.lastSeen, <When at={one.last_seen} />],
        ]}
      </Facts>
      <button
        type="button"
        onClick={() => {
          onEnd(ending);
        }}
      >
        {ending}
      </button>
    </li>
  );
}

function OneApp({ one, onEnd }: { one: App; onEnd: () => void }) {
  const { texts, language } = useSpeaking();
  return (
    <li class="card">
      <h3>{one.name}</h3>
      <ul>
        {one.may.map(({ scope, means }) => (
          <li key={scope}>{means[language]}</li>
        ))}
      </ul>
      <Facts>
        {[
          [texts.purpose, texts.purposes[one.purpose] ?? one.purpose],
          [texts.since, <When at={one.since} />],
          [texts.until, <When at={one.until} />],
        ]}
      </Facts>
      <button type="button" onClick={onEnd}>
        {texts.endApp}
      </button>
    </li>
  );
}

function OneSession({ one, onEnd }: { one: Session; onEnd: () => void }) {
  const texts = useTexts();
  return (
    <li class="card">
      {one.emergency === true && <p class="badge">{texts.emergency}</p>}
      <Facts>
        {[
          [texts.purpose, texts.purposes[one.purpose] ?? one.purpose],
          ...(one.through === undefined ? [] : [[texts.through, one.through] as [string, ComponentChildren]]),
          [texts.since, <When at={one.since} />],
          [texts.until, <When at={one.until} />],
        ]}
      </Facts>
      <button type="button" onClick={onEnd}>
        {texts.end}
      </button>
    </li>
  );
}
