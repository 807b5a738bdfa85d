/** Signing in: by passkey first, by a code that was handed out else. */

import { useEffect, useState } from "preact/hooks";

import { ask, tell } from "../asking";
import { useTexts } from "../language";
import { useOffered } from "../parts/add-passkey";
import { Field, written } from "../parts/field";
import { Frame } from "../parts/frame";
import { Link } from "../parts/link";
import { Notice, bad, refused } from "../parts/notice";
import type { Told } from "../parts/notice";
import { signInByPasskey } from "../passkeys";
import { keepBroughtCode } from "./claim";

interface Signing {
  lead?: string;
  leadsTo?: string;
  told?: Told | null;
  onDone: () => void;
}

export function SignIn({ lead, leadsTo = "", told: before = null, onDone }: Signing) {
  const texts = useTexts();
  const [told, setTold] = useState<Told | null>(before);
  const [busy, setBusy] = useState(false);
  const passkeys = useOffered() === true;

  const carriedOut = async (sign: () => Promise<unknown>, whenNot: (error: unknown) => Told) => {
    setBusy(true);
    setTold(null);
    try {
      await sign();
      onDone();
    } catch (error) {
      setTold(whenNot(error));
      setBusy(false);
    }
  };
  const byPasskey = () =>
    carriedOut(signInByPasskey, (error) =>
      error instanceof DOMException ? bad(texts.passkeyFailed) : refused(error, texts, { 401: texts.passkeyFailed }),
    );
  const byCode = (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const body = { login: written(form, "login"), code: written(form, "code") };
    return carriedOut(
      () => tell("/auth/login", body),
      (error) => refused(error, texts, { 400: texts.wrongCode, 401: texts.wrongCode }),
    );
  };

  return (
    <Frame title={texts.signIn}>
      <p class="lead">{lead ?? texts.signInLead}</p>
      <Notice told={told} />
      {passkeys && (
        <section class="card">
          <button type="button" class="main" disabled={busy} onClick={byPasskey}>
            {texts.withPasskey}
          </button>
          <p class="hint">{texts.passkeyHint}</p>
          <p class="beside">
            <Link to="/recover">{texts.lostPasskey}</Link>
          </p>
        </section>
      )}
      <section class="card">
        <h2>{texts.withCode}</h2>
        <form onSubmit={byCode}>
          <Field label={texts.login} name="login" autocomplete="username" wrong={told?.text === texts.wrongCode} />
          <Field
            label={texts.code}
            name="code"
            autocomplete="one-time-code"
            hint={texts.codeHint}
            wrong={told?.text === texts.wrongCode}
            secret
          />
          <button type="submit" class={passkeys ? "" : "main"} disabled={busy}>
            {texts.signIn}
          </button>
        </form>
      </section>
      <Elsewhere leadsTo={leadsTo} />
    </Frame>
  );
}

interface Provider {
  id: string;
  name: string;
  start: string;
}

/** Whoever else may say who the person is: a service of the state, the city's portal, a hospital. */
function Elsewhere({ leadsTo }: { leadsTo: string }) {
  const texts = useTexts();
  const [providers, setProviders] = useState<Provider[]>([]);
  useEffect(() => {
    const none = () => {
      setProviders([]);
    };
    ask<{ providers: Provider[] }>("/auth/federation").then((found) => {
      setProviders(found.providers);
    }, none);
  }, []);
  if (providers.length === 0) return null;
  return (
    <section class="card">
      <h2>{texts.elsewhere}</h2>
      <ul class="cards">
        {providers.map(({ id, name, start }) => (
          <li key={id}>
            <a href={leadsTo === "" ? start : `${start}?${leadsTo}`} onClick={keepBroughtCode}>
              {name}
            </a>
          </li>
        ))}
      </ul>
    </section>
  );
}
