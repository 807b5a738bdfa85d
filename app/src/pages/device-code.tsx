/** The device grant: the person enters what their device shows, reads what it asks for, and decides. */

import { useState } from "preact/hooks";

import { tell } from "../asking";
import { useTexts } from "../language";
import { Field, written } from "../parts/field";
import { Frame } from "../parts/frame";
import { Notice, good, refused } from "../parts/notice";
import type { Told } from "../parts/notice";
import { usePerson } from "../session";
import { Offered } from "./offered";
import type { Choice, Offer } from "./offered";

interface Shown {
  code: string;
  offer: Offer;
}

export function DeviceCode() {
  const texts = useTexts();
  const { csrf } = usePerson();
  const [shown, setShown] = useState<Shown | null>(null);
  const [told, setTold] = useState<Told | null>(null);
  const [busy, setBusy] = useState(false);

  const carriedOut = async (act: () => Promise<void>) => {
    setBusy(true);
    setTold(null);
    try {
      await act();
    } catch (error) {
      setShown(null);
      setTold(refused(error, texts, { 404: texts.noSuchCode }));
    }
    setBusy(false);
  };
  const enter = (event: SubmitEvent) => {
    event.preventDefault();
    const code = written(event.currentTarget as HTMLFormElement, "user_code");
    return carriedOut(async () => {
      setShown({ code, offer: await tell<Offer>("/auth/device/asked", { user_code: code, csrf }) });
    });
  };
  const decide = (code: string, choice: Choice) =>
    carriedOut(async () => {
      await tell("/auth/device/decision", { request: code, csrf, ...choice });
      setShown(null);
      setTold(good(choice.decision === "allow" ? texts.deviceAllowed : texts.deviceDenied));
    });

  const title = shown === null ? texts.deviceCode : texts.asks(shown.offer.client.name);
  return (
    <Frame key={shown === null ? "code" : "offer"} title={title} home>
      <Notice told={told} />
      {shown === null ? (
        <form class="card" onSubmit={enter}>
          <p>{texts.deviceCodeLead}</p>
          <Field label={texts.deviceCode} name="user_code" hint={texts.deviceCodeHint} maxLength={16} capitals />
          <button type="submit" class="main" disabled={busy}>
            {texts.next}
          </button>
        </form>
      ) : (
        <Offered offer={shown.offer} busy={busy} onChoice={(choice) => void decide(shown.code, choice)} />
      )}
    </Frame>
  );
}
