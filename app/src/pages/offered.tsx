/** What an app or a device asks for, and the two answers: the person picks what it may have of it. */

import { useState } from "preact/hooks";

import { useSpeaking } from "../language";
import type { Words } from "../language";
import { Field, written } from "../parts/field";

interface Scope {
  scope: string;
  means: Words;
}

export interface Offer {
  client: { name: string };
  person: { login: string };
  scopes: Scope[];
  beside: Scope[];
  not_offered: string[];
  refused: Words | null;
  purposes: { purpose: string; means: Words }[];
  names_patient: boolean;
  redirect_uri: string;
  csrf: string;
}

export interface Choice {
  decision: "allow" | "deny";
  purpose?: string;
  scopes?: string[];
  patient?: string;
}

// What stands beside the records belongs to how the app works; to go on unseen is for the person to say.
const CHOSEN_BESIDE = "offline_access";

// To decide for somebody who sees their records is theirs to pick: it is never picked for them.
const DECIDES = /^\w+\/(Consent|RelatedPerson)\.[rs]*[cud]/;

interface Deciding {
  offer: Offer;
  busy: boolean;
  onChoice: (choice: Choice) => void;
}

export function Offered({ offer, busy, onChoice }: Deciding) {
  const { texts, language } = useSpeaking();
  const deciding = offer.scopes.map(({ scope }) => scope).filter((scope) => DECIDES.test(scope));
  const [without, setWithout] = useState<ReadonlySet<string>>(new Set(deciding));
  const chosen = [...offer.scopes, ...offer.beside.filter((each) => each.scope === CHOSEN_BESIDE)];
  const fixed = offer.beside.filter((each) => each.scope !== CHOSEN_BESIDE);

  const turn = (scope: string) => {
    const next = new Set(without);
    if (!next.delete(scope)) next.add(scope);
    setWithout(next);
  };
  const allow = (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const scopes = [...offer.scopes, ...offer.beside].map((each) => each.scope).filter((each) => !without.has(each));
    const patient = offer.names_patient ? { patient: written(form, "patient") } : {};
    onChoice({ decision: "allow", purpose: written(form, "purpose"), scopes, ...patient });
  };
  const deny = () => {
    onChoice({ decision: "deny" });
  };

  return (
    <form onSubmit={allow}>
      <p class="lead">{texts.signedInAs(offer.person.login)}</p>
      {offer.refused !== null && <p class="notice bad">{offer.refused[language]}</p>}
      {offer.refused === null && (
        <section class="card">
          <h2>{texts.may}</h2>
          <fieldset>
            <legend>{texts.mayWhich}</legend>
            {chosen.map(({ scope, means }) => (
              <label class="tick" key={scope}>
                <input
                  type="checkbox"
                  checked={!without.has(scope)}
                  onChange={() => {
                    turn(scope);
                  }}
                />
                <span>{means[language]}</span>
              </label>
            ))}
          </fieldset>
          {fixed.length > 0 && (
            <>
              <h3>{texts.besides}</h3>
              <ul>
                {fixed.map(({ scope, means }) => (
                  <li key={scope}>{means[language]}</li>
                ))}
              </ul>
            </>
          )}
        </section>
      )}
      {offer.not_offered.length > 0 && (
        <p class="hint">
          {texts.notOffered}: <code>{offer.not_offered.join(" ")}</code>
        </p>
      )}
      <Purposes offer={offer} />
      {offer.names_patient && <Field label={texts.whose} name="patient" />}
      <p class="hint">{texts.narrowed}</p>
      <div class="choices">
        {offer.purposes.length > 0 && (
          <button type="submit" class="main" disabled={busy}>
            {texts.allow}
          </button>
        )}
        <button type="button" disabled={busy} onClick={deny}>
          {texts.deny}
        </button>
      </div>
      {offer.redirect_uri !== "" && <p class="hint">{texts.goesTo(new URL(offer.redirect_uri).origin)}</p>}
    </form>
  );
}

function Purposes({ offer }: { offer: Offer }) {
  const { texts, language } = useSpeaking();
  if (offer.refused !== null) return null;
  if (offer.purposes.length === 0) return <p class="notice bad">{texts.nothingToAllow}</p>;
  return (
    <fieldset class="card">
      <legend>{texts.why}</legend>
      {offer.purposes.map(({ purpose, means }, place) => (
        <label class="tick" key={purpose}>
          <input type="radio" name="purpose" value={purpose} defaultChecked={place === 0} required />
          <span>{means[language]}</span>
        </label>
      ))}
    </fieldset>
  );
}
