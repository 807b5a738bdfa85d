/**
 * Passkeys by the browser's own means.
 *
 * https://www.w3.org/TR/webauthn-3/#sctn-parseCreationOptionsFromJSON
 */

import { tell } from "./asking";
import { whoIsHere } from "./session";

/** Whether this browser makes passkeys; it does so only where nobody listens. */
export function passkeysWork(): boolean {
  return (
    typeof PublicKeyCredential === "function" &&
    typeof PublicKeyCredential.parseCreationOptionsFromJSON === "function"
  );
}

/** Whether this installation has passkeys as well: it has to be reached by a name. */
export async function passkeysOffered(): Promise<boolean> {
  return passkeysWork() && (await whoIsHere()).passkeys;
}

/** Sign in by whichever passkey the person picks: nobody is named before. */
export async function signInByPasskey(): Promise<void> {
  const options = await tell<{ publicKey: PublicKeyCredentialRequestOptionsJSON }>("/auth/passkeys/challenge", {});
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options.publicKey);
  const shown = await navigator.credentials.get({ publicKey });
  if (!(shown instanceof PublicKeyCredential)) throw new Error("expected a passkey");
  await tell("/auth/passkeys/sign-in", { credential: shown.toJSON() });
}

export async function addPasskey(name: string, csrf: string): Promise<void> {
  const options = await tell<{ publicKey: PublicKeyCredentialCreationOptionsJSON }>("/auth/passkeys/options", { csrf });
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options.publicKey);
  const made = await navigator.credentials.create({ publicKey });
  if (!(made instanceof PublicKeyCredential)) throw new Error("expected a passkey");
  await tell("/auth/passkeys", { csrf, name, credential: made.toJSON() });
}
