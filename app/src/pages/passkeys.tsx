/** The person's passkeys: add one of this device, take one away. */

import { useCallback, useState } from "preact/hooks";

import { Refusal, ask, tell } from "../asking";
import { useTexts } from "../language";
import { AddPasskey } from "../parts/add-passkey";
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
}

export function Passkeys() {
  const texts = useTexts();
  const { csrf } = usePerson();
  const [answer, again] = useAnswer(useCallback(() => ask<{ passkeys: Passkey[] }>("/auth/passkeys"), []));
  const [asked, setAsked] = useState<Asked | null>(null);
  const [told, setTold] = useState<Told | null>(null);

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
        {({ passkeys }) =>
          passkeys.length === 0 ? (
            <p>{texts.noPasskeys}</p>
          ) : (
            <ul class="cards">
              {passkeys.map((one) => (
                <li class="card" key={one.id}>
                  <h2>{one.name}</h2>
                  {one.doubted && <p class="notice bad">{texts.doubted}</p>}
                  <Facts>
                    {[
                      [texts.created, <When at={one.registered} />],
                      [texts.lastUsed, one.used === null ? texts.never : <When at={one.used} />],
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
