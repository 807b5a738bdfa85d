/** The person's passkeys: add one of this device, call one something else, take one away. */

import { useCallback, useEffect, useRef, useState } from "preact/hooks";

import { Refusal, ask, tell } from "../asking";
import { useTexts } from "../language";
import { AddPasskey } from "../parts/add-passkey";
import { Field, written } from "../parts/field";
import { Frame } from "../parts/frame";
import { Loaded, useAnswer } from "../parts/loaded";
import { Notice, good, refused } from "../parts/notice";
import type { Told } from "../parts/notice";
import { Question } from "../parts/question";
import type { Asked } from "../parts/question";
import { Facts, When } from "../parts/when";
import { usePerson } from "../session";

interface Passkey {
  id: string;
  name: string;
  registered: string;
  used: string | null;
  doubted: boolean;
  apps: string[];
}

interface Overview {
  passkeys: Passkey[];
  waiting: { login: string }[];
}

export function Passkeys() {
  const texts = useTexts();
  const { csrf } = usePerson();
  const [answer, again] = useAnswer(useCallback(() => ask<Overview>("/auth/passkeys"), []));
  const [asked, setAsked] = useState<Asked | null>(null);
  const [told, setTold] = useState<Told | null>(null);

  const renamed = async (id: string, name: string) => {
    try {
      await tell(`/auth/passkeys/${id}/rename`, { csrf, name });
      await again();
      setTold(good(texts.renamed));
    } catch (error) {
      await again();
      setTold(refused(error, texts));
    }
  };
  const added = async () => {
    await again();
    setTold(good(texts.added));
  };
  const removed = async (id: string, last = false) => {
    try {
      await tell(`/auth/passkeys/${id}/remove`, { csrf, last });
      await again();
      setTold(good(texts.removed));
    } catch (error) {
      if (error instanceof Refusal && error.status === 409 && !last) {
        setAsked({ text: texts.lastOne, yes: texts.remove, then: () => void removed(id, true) });
        return;
      }
      await again();
      setTold(refused(error, texts, { 401: texts.passkeyFresh }));
    }
  };

  return (
    <Frame title={texts.homePasskeys} home>
      <p class="lead">{texts.passkeysLead}</p>
      <Notice told={told} />
      <Loaded answer={answer} again={again}>
        {({ passkeys, waiting }) => (
          <>
            {waiting.map(({ login }) => (
              <p class="notice bad" key={login}>
                {texts.codeWaits(login)}
              </p>
            ))}
            {passkeys.length === 0 ? (
              <p>{texts.noPasskeys}</p>
            ) : (
              <ul class="cards">
                {passkeys.map((one) => (
                  <OnePasskey
                    key={one.id}
                    one={one}
                    onRename={(name) => renamed(one.id, name)}
                    onRemove={() => {
                      const text = texts.sureToRemove(one.name, one.apps);
                      setAsked({ text, yes: texts.remove, then: () => void removed(one.id) });
                    }}
                  />
                ))}
              </ul>
            )}
          </>
        )}
      </Loaded>
      <AddPasskey csrf={csrf} onAdded={added} onTold={setTold} />
      <Question
        asked={asked}
        onClose={() => {
          setAsked(null);
        }}
      />
    </Frame>
  );
}

interface Shown {
  one: Passkey;
  onRename: (name: string) => Promise<void>;
  onRemove: () => void;
}

function OnePasskey({ one, onRename, onRemove }: Shown) {
  const texts = useTexts();
  const [naming, setNaming] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => {
    if (naming) form.current?.querySelector("input")?.select();
  }, [naming]);
  const rename = async (event: SubmitEvent) => {
    event.preventDefault();
    const name = written(event.currentTarget as HTMLFormElement, "name");
    setNaming(false);
    await onRename(name);
  };
  return (
    <li class="card">
      <h2>{one.name}</h2>
      {one.doubted && <p class="notice bad">{texts.doubted}</p>}
      <Facts>
        {[
          [texts.created, <When at={one.registered} />],
          [texts.lastUsed, one.used === null ? texts.never : <When at={one.used} />],
        ]}
      </Facts>
      {naming ? (
        <form ref={form} onSubmit={rename}>
          <Field label={texts.newName} name="name" value={one.name} maxLength={64} />
          <div class="choices">
            <button type="submit" class="main">
              {texts.save}
            </button>
            <button
              type="button"
              onClick={() => {
                setNaming(false);
              }}
            >
              {texts.cancel}
            </button>
          </div>
        </form>
      ) : (
        <div class="choices">
          <button
            type="button"
            onClick={() => {
              setNaming(true);
            }}
          >
            {texts.rename}
          </button>
          <button type="button" onClick={onRemove}>
            {texts.remove}
          </button>
        </div>
      )}
    </li>
  );
}
