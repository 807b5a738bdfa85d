/** The pages of the passport: which one an address shows, and to whom. */

import { render } from "preact";
import type { ComponentChildren } from "preact";
import { useCallback, useEffect, useState } from "preact/hooks";

import { SIGNED_OUT } from "./asking";
import { Speaks, useTexts } from "./language";
import { Allow } from "./pages/allow";
import { DeviceCode } from "./pages/device-code";
import { Devices } from "./pages/devices";
import { Home } from "./pages/home";
import { Passkeys } from "./pages/passkeys";
import { Recover } from "./pages/recover";
import { Sessions } from "./pages/sessions";
import { SignIn } from "./pages/sign-in";
import { Token } from "./pages/token";
import { Frame } from "./parts/frame";
import { Loaded, useAnswer } from "./parts/loaded";
import { good } from "./parts/notice";
import { go, usePath } from "./places";
import { Person, whoIsHere } from "./session";
import "./style.css";

type Page = (given: { onSignedOut: () => void }) => ComponentChildren;

const OF_PERSON: Record<string, Page> = {
  "/home": Home,
  "/home/sessions": Sessions,
  "/home/devices": Devices,
  "/home/passkeys": Passkeys,
  "/home/token": Token,
  "/device": DeviceCode,
  "/auth/device": DeviceCode,
};
const SIGN_IN = new Set(["/sign-in", "/auth/login"]);
const ALLOW = "/auth/authorize";
const RECOVER = "/recover";

function Pages() {
  const path = usePath();
  if (path === ALLOW) return <Allow />;
  return path === RECOVER ? <Recover /> : <ForPerson path={path} />;
}

function ForPerson({ path }: { path: string }) {
  const texts = useTexts();
  const [answer, again] = useAnswer(useCallback(whoIsHere, []));
  const [left, setLeft] = useState(false);
  useEffect(() => {
    const look = () => void again();
    addEventListener(SIGNED_OUT, look);
    return () => {
      removeEventListener(SIGNED_OUT, look);
    };
  }, [again]);
  const signedOut = () => {
    setLeft(true);
    go("/sign-in");
    void again();
  };
  const signedIn = () => {
    setLeft(false);
    if (SIGN_IN.has(path)) go("/home");
    void again();
  };
  if (answer.is !== "there") {
    return (
      <Frame title={texts.passport}>
        <Loaded answer={answer} again={again}>
          {() => null}
        </Loaded>
      </Frame>
    );
  }
  if (!answer.value.signed_in) {
    const device = path.endsWith("/device");
    const lead = device ? { lead: texts.signInForDevice } : {};
    const leadsTo = SIGN_IN.has(path) ? "" : `to=${path.slice(path.lastIndexOf("/") + 1)}`;
    return <SignIn {...lead} leadsTo={leadsTo} told={left ? good(texts.signedOut) : null} onDone={signedIn} />;
  }
  const Shown = OF_PERSON[path] ?? Home;
  return (
    <Person.Provider value={answer.value}>
      <Shown key={path} onSignedOut={signedOut} />
    </Person.Provider>
  );
}

// What the service wrote into the page works without script; where there is script the pages take its place.
const root = document.getElementById("pages");
const shown = new Set([ALLOW, RECOVER, ...SIGN_IN, ...Object.keys(OF_PERSON)]);
if (root !== null && shown.has(location.pathname)) {
  root.replaceChildren();
  render(
    <Speaks>
      <Pages />
    </Speaks>,
    root,
  );
}
