/** A token for whoever works with a program of their own: it stands here once, and is gone with the page. */

import { useState } from "preact/hooks";

import { useTexts } from "../language";
import { written } from "../parts/field";
import { Frame } from "../parts/frame";
import { Link } from "../parts/link";
import { Notice, refused } from "../parts/notice";
import type { Told } from "../parts/notice";
import { tokenFor } from "../records";
import type { Given } from "../records";
import { usePerson } from "../session";

export function Token() {
  const texts = useTexts();
  const person = usePerson();
  const [given, setGiven] = useState<Given | null>(null);
  const [told, setTold] = useState<Told | null>(null);
  const get = async (event: SubmitEvent) => {
    event.preventDefault();
    const purpose = written(event.currentTarget as HTMLFormElement, "purpose");
    setTold(null);
    try {
      setGiven(await tokenFor(person, purpose));
    } catch (error) {
      setTold(refused(error, texts));
    }
  };
  if (person.needs !== null) {
    return (
      <Frame title={texts.token} home>
        <p class="notice bad">{texts.secondFactor}</p>
        <p class="beside">
          <Link to="/home/passkeys">{texts.homePasskeys}</Link>
        </p>
      </Frame>
    );
  }
  return (
    <Frame title={texts.token} home>
      <p class="lead">{texts.tokenLead}</p>
      <Notice told={told} />
      <form class="card" onSubmit={get}>
        <fieldset>
          <legend>{texts.why}</legend>
          {person.purposes.map((purpose, place) => (
            <label class="tick" key={purpose}>
              <input type="radio" name="purpose" value={purpose} defaultChecked={place === 0} required />
              <span>{texts.purposes[purpose] ?? purpose}</span>
            </label>
          ))}
        </fieldset>
        <button type="submit" class="main">
          {texts.tokenGet}
        </button>
      </form>
      <div role="status">
        {given !== null && (
          <div class="card">
            <p>
              <code>{given.access_token}</code>
            </p>
            <p class="hint">{texts.tokenKept(Math.round(given.expires_in / 60))}</p>
          </div>
        )}
      </div>
    </Frame>
  );
}
