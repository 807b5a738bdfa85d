/** A device that shows a code: whoever has it in front of them enters the code, or comes by its QR code. */

import { useEffect, useState } from "preact/hooks";

import { useTexts } from "../language";
import { Field, written } from "../parts/field";
import { refused } from "../parts/notice";
import type { Told } from "../parts/notice";
import { tellAs } from "../records";
import { usePerson } from "../session";

interface Redeemed {
  device: string;
  model: string;
  serial: string;
}

const CODE = /^#[0-9A-Za-z-]{8,16}$/;
const KEPT = "brought-code";

/** Whoever signs in elsewhere leaves this page for it: the code waits in this tab until they are back. */
export function keepBroughtCode(): void {
  if (CODE.test(location.hash)) sessionStorage.setItem(KEPT, location.hash);
}

/** The code that the address brought: behind `#`, so that it reaches no server and no log. */
export function useBroughtCode(): string {
  const [code] = useState(() => {
    const brought = location.hash === "" ? (sessionStorage.getItem(KEPT) ?? "") : location.hash;
    return CODE.test(brought) ? brought.slice(1) : "";
  });
  useEffect(() => {
    // A code that was read is left neither in the history nor in the tab.
    sessionStorage.removeItem(KEPT);
    if (code !== "") history.replaceState(history.state, "", location.pathname);
  }, [code]);
  return code;
}

interface Given {
  code: string;
  onAdded: (serial: string) => Promise<void>;
  onTold: (told: Told | null) => void;
}

/** The line for the code. Nothing is enrolled by an address alone: the person presses the button. */
export function Claim({ code, onAdded, onTold }: Given) {
  const texts = useTexts();
  const person = usePerson();
  const [busy, setBusy] = useState(false);

  const enter = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    setBusy(true);
    onTold(null);
    try {
      const added = await tellAs<Redeemed>(person, "/devices/claims/redeem", { code: written(form, "device_code") });
      form.reset();
      await onAdded(added.serial);
    } catch (error) {
      onTold(refused(error, texts, { 404: texts.noSuchClaim }));
    }
    setBusy(false);
  };
  return (
    <form class="card" onSubmit={enter}>
      <h2>{texts.addDevice}</h2>
      <p>{texts.claimCodeLead}</p>
      <Field label={texts.deviceCode} name="device_code" hint={texts.deviceCodeHint} maxLength={16} capitals value={code} />
      <p class="hint">{texts.claimCodeElsewhere}</p>
      <button type="submit" class={code === "" ? "" : "main"} disabled={busy}>
        {texts.addDeviceNow}
      </button>
    </form>
  );
}
