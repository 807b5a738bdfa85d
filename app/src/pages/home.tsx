/** Where a person who signed in begins. */

import { useState } from "preact/hooks";

import { tell } from "../asking";
import { useTexts } from "../language";
import { Frame } from "../parts/frame";
import { Link } from "../parts/link";
import { Notice, refused } from "../parts/notice";
import type { Told } from "../parts/notice";
import { usePerson } from "../session";
import type { Kind, SignedIn } from "../session";
import type { Texts } from "../texts";

export function Home({ onSignedOut }: { onSignedOut: () => void }) {
  const texts = useTexts();
  const person = usePerson();
  const [told, setTold] = useState<Told | null>(null);
  const signOut = async () => {
    try {
      await tell("/auth/logout", { csrf: person.csrf });
      onSignedOut();
    } catch (error) {
      setTold(refused(error, texts));
    }
  };
  return (
    <Frame title={texts.home}>
      <p class="lead">{texts.homeLead(asWhom(person.kind, texts), person.login)}</p>
      <Notice told={told} />
      {person.needs === "second-factor" && <p class="notice bad">{texts.secondFactor}</p>}
      <nav aria-label={texts.home}>
        <ul class="cards">
          {rooms(person, texts).map(([path, name, what]) => (
            <li class="card" key={path}>
              <Link to={path}>{name}</Link>
              <p class="hint">{what}</p>
            </li>
          ))}
        </ul>
      </nav>
      <button type="button" onClick={signOut}>
        {texts.signOut}
      </button>
    </Frame>
  );
}

function rooms({ kind, needs }: SignedIn, texts: Texts): [string, string, string][] {
  const all: [string, string, string][] = [
    ["/home/sessions", texts.homeSessions, texts.homeSessionsWhat],
    ["/home/devices", texts.homeDevices, texts.homeDevicesWhat],
    ["/home/passkeys", texts.homePasskeys, texts.homePasskeysWhat],
    ["/device", texts.homeDevice, texts.homeDeviceWhat],
  ];
  const works = kind !== "patient" && kind !== "proxy";
  if (works) all.push(["/home/token", texts.token, texts.tokenWhat]);
  if (needs !== null) return all.filter(([path]) => path === "/home/passkeys");
  return kind === "patient" ? all : all.filter(([path]) => path !== "/home/devices");
}

function asWhom(kind: Kind, texts: Texts): string {
  const said: Partial<Record<Kind, string>> = {
    patient: texts.asPatient,
    proxy: texts.asProxy,
    practitioner: texts.asPractitioner,
  };
  return said[kind] ?? texts.asOffice;
}
