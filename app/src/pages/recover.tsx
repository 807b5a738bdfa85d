/** Coming back without a passkey: the code that the desk printed is good for registering one. */

import { useState } from "preact/hooks";

import { tell } from "../asking";
import { useTexts } from "../language";
import { AddPasskey, useOffered } from "../parts/add-passkey";
import { Field, written } from "../parts/field";
import { Frame } from "../parts/frame";
import { Link } from "../parts/link";
import { Notice, good, refused } from "../parts/notice";
import type { Told } from "../parts/notice";

export function Recover() {
  const texts = useTexts();
  const offered = useOffered();
  const [csrf, setCsrf] = useState("");
  const [told, setTold] = useState<Told | null>(null);
  const [done, setDone] = useState(false);

  const enter = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const body = { code: written(form, "code"), lost: written(form, "lost") !== "" };
    setTold(null);
    try {
      setCsrf((await tell<{ csrf: string }>("/auth/recovery", body)).csrf);
      setTold(good(texts.recoverNow));
    } catch (error) {
      setTold(refused(error, texts, { 400: texts.recoverWrong, 401: texts.recoverWrong }));
    }
  };
  const added = () => {
    setDone(true);
    setTold(good(texts.recovered));
    return Promise.resolve();
  };

  return (
    <Frame title={texts.recover}>
      {csrf === "" && <p class="lead">{texts.recoverLead}</p>}
      <Notice told={told} />
      {offered === false && (
        <p class="notice bad">
          {texts.passkeysUnavailable} {texts.recoverElsewhere}
        </p>
      )}
      {csrf === "" && offered === true && (
        <form class="card" onSubmit={enter}>
          <Field label={texts.recoverCode} name="code" autocomplete="one-time-code" capitals />
          <label class="tick">
            <input type="checkbox" name="lost" value="yes" />
            <span>{texts.recoverLost}</span>
          </label>
          <button type="submit" class="main">
            {texts.next}
          </button>
        </form>
      )}
      {csrf !== "" && !done && <AddPasskey csrf={csrf} onAdded={added} onTold={setTold} />}
      <p class="beside">
        <Link to="/sign-in">{texts.signIn}</Link>
      </p>
    </Frame>
  );
}
