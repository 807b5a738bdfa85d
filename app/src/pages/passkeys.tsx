/** The person's passkeys: add one of this device, take one away. */

import { useCallback, useState } from "preact/hooks";

import { Refusal, ask, tell } from "../asking";
import { useTexts } from "../language";
import { Field, written } from "../parts/field";
import { Frame } from "../parts/frame";
import { Loaded, useAnswer } from "../parts/loaded";
import { Notice, bad, good, refused } from "../parts/notice";
import type { Told } from "../parts/notice";
import { Question } from "../parts/question";
import type { Asked } from "../parts/question";
import { Facts, When } from "../parts/when";
import { addPasskey, passkeysWork } from "../passkeys";
import { usePerson } from "../session";

interface Passkey {
  id: string;
  name: string;
  created: string;
  last_used: string | null;
}

export function Passkeys() {
  const texts = useTexts();
  const { csrf } = usePerson();
  const [answer, again] = useAnswer(useCallback(() => ask<{ passkeys: Passkey[] }>("/auth/passkeys"), []));
  const [asked, setAsked] = useState<Asked | null>(null);
  const [told, setTold] = useState<Told | null>(null);
  const [busy, setBusy] = useState(false);

  const add = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    setBusy(true);
    setTold(null);
    try {
      await addPasskey(written(form, "name"), csrf);
      form.reset();
      setTold(good(texts.added));
    } catch (error) {
      setTold(
        error instanceof Refusal ? refused(error, texts, { 401: texts.passkeyFresh }) : bad(texts.notAdded),
      );
    }
    setBusy(false);
    await again();
  };
  const removed = async (id: string, last = false) => {
    try {
      await tell(`/auth/passkeys/${id}/remove`, { csrf, last });
      setTold(good(texts.removed));
    } catch (error) {
      if (error instanceof Refusal && error.status === 409 && !last) {
        setAsked({ text: texts.lastOne, yes: texts.remove, then: () => void removed(id, true) });
        return;
      }
      setTold(refused(error, texts));
    }
    await again();
  };

  return (
    <Frame title={texts.homePasskeys} home>
      <p class="lead">{texts.passkeysLead}</p>
      <Notice told={told} />
      <Loaded answer={answer} again={again}>
        {({ passkeys }) =>
          passkeys.length === 0 ? (
            <p>{texts.noPasskeys}</p>
          ) : (
            <ul class="cards">
              {passkeys.map((one) => (
                <li class="card" key={one.id}>
                  <h2>{one.name}</h2>
                  <Facts>
                    {[
                      [texts.created, <When at={one.created} />],
                      [texts.lastUsed, one.last_used === null ? texts.never : <When at={one.last_used} />],
                    ]}
                  </Facts>
                  <button
                    type="button"
                    onClick={() => {
                      setAsked({ text: texts.sureToRemove(one.name), yes: texts.remove, then: () => void removed(one.id) });
                    }}
                  >
                    {texts.remove}
                  </button>
                </li>
              ))}
            </ul>
          )
        }
      </Loaded>
      {passkeysWork() ? (
        <form class="card" onSubmit={add}>
          <Field label={texts.passkeyName} name="name" hint={texts.passkeyNameHint} maxLength={64} />
          <button type="submit" class="main" disabled={busy}>
            {texts.addPasskey}
          </button>
        </form>
      ) : (
        <p class="hint">{texts.passkeysUnavailable}</p>
      )}
      <Question
        asked={asked}
        onClose={() => {
          setAsked(null);
        }}
      />
    </Frame>
  );
}
