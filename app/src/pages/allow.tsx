/** The scope screen at `/auth/authorize`: the address itself says what is asked for. */

import { useCallback, useState } from "preact/hooks";

import { Refusal, ask, tell } from "../asking";
import { useTexts } from "../language";
import { Frame } from "../parts/frame";
import { Loaded, useAnswer } from "../parts/loaded";
import { Notice, refused } from "../parts/notice";
import type { Told } from "../parts/notice";
import { Offered } from "./offered";
import type { Choice, Offer } from "./offered";
import { SignIn } from "./sign-in";

export function Allow() {
  const texts = useTexts();
  const query = location.search.slice(1);
  const [answer, again] = useAnswer(useCallback(() => ask<Offer>(`/auth/authorize?${query}`), [query]));
  if (answer.is === "refused" && answer.error instanceof Refusal) {
    if (answer.error.status === 401) {
      const leadsTo = new URLSearchParams({ to: "authorize", request: query }).toString();
      return <SignIn lead={texts.signInForApp} leadsTo={leadsTo} onDone={() => void again()} />;
    }
    if (answer.error.status === 400) return <Wrong />;
  }
  const title = answer.is === "there" ? texts.asks(answer.value.client.name) : texts.signIn;
  return (
    <Frame key={title} title={title}>
      <Loaded answer={answer} again={again}>
        {(offer) => <Decide offer={offer} query={query} again={again} />}
      </Loaded>
    </Frame>
  );
}

function Decide({ offer, query, again }: { offer: Offer; query: string; again: () => Promise<void> }) {
  const texts = useTexts();
  const [told, setTold] = useState<Told | null>(null);
  const [leaving, setLeaving] = useState(false);
  const decide = async (choice: Choice) => {
    setLeaving(true);
    try {
      const body = { request: query, csrf: offer.csrf, ...choice };
      const { redirect_to } = await tell<{ redirect_to: string }>("/auth/authorize/decision", body);
      location.replace(redirect_to);
    } catch (error) {
      setLeaving(false);
      if (error instanceof Refusal && (error.status === 400 || error.status === 401)) await again();
      setTold(refused(error, texts));
    }
  };
  return (
    <>
      <Notice told={told} />
      <Offered offer={offer} busy={leaving} onChoice={(choice) => void decide(choice)} />
      <p role="status">{leaving && texts.leaving}</p>
    </>
  );
}

function Wrong() {
  const texts = useTexts();
  return (
    <Frame title={texts.wrongRequest}>
      <p>{texts.wrongRequestWhat}</p>
    </Frame>
  );
}
