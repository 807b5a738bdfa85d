/** The form by which a person adds a passkey of the device in front of them. */

import { useEffect, useState } from "preact/hooks";

import { Refusal } from "../asking";
import { useTexts } from "../language";
import { addPasskey, passkeysOffered } from "../passkeys";
import { Field, written } from "./field";
import { bad, refused } from "./notice";
import type { Told } from "./notice";

interface Adding {
  csrf: string;
  onAdded: () => Promise<void>;
  onTold: (told: Told | null) => void;
}

export function AddPasskey({ csrf, onAdded, onTold }: Adding) {
  const texts = useTexts();
  const offered = useOffered();
  const [busy, setBusy] = useState(false);
  const add = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    setBusy(true);
    onTold(null);
    try {
      await addPasskey(written(form, "name"), csrf);
      form.reset();
      await onAdded();
    } catch (error) {
      onTold(error instanceof Refusal ? refused(error, texts, { 401: texts.passkeyFresh }) : bad(texts.notAdded));
    }
    setBusy(false);
  };
  if (offered === null) return null;
  if (!offered) return <p class="hint">{texts.passkeysUnavailable}</p>;
  return (
    <form class="card" onSubmit={add}>
      <Field label={texts.passkeyName} name="name" hint={texts.passkeyNameHint} maxLength={64} />
      <button type="submit" class="main" disabled={busy}>
        {texts.addPasskey}
      </button>
    </form>
  );
}

/** Whether passkeys can be used here, null until that is known. */
export function useOffered(): boolean | null {
  const [offered, setOffered] = useState<boolean | null>(null);
  useEffect(() => {
    const unknown = () => {
      setOffered(false);
    };
    passkeysOffered().then(setOffered, unknown);
  }, []);
  return offered;
}
