/** The person's devices: nothing is taken from one that they did not approve. */

import { useCallback, useState } from "preact/hooks";

import { useTexts } from "../language";
import { Frame } from "../parts/frame";
import { Loaded, useAnswer } from "../parts/loaded";
import { Notice, good, refused } from "../parts/notice";
import type { Told } from "../parts/notice";
import { Question } from "../parts/question";
import type { Asked } from "../parts/question";
import { Facts, When } from "../parts/when";
import { askAs, tellAs } from "../records";
import { usePerson } from "../session";
import type { SignedIn } from "../session";
import { Claim, useBroughtCode } from "./claim";

type Status = "pending" | "active" | "suspended" | "revoked";
type Verb = "approve" | "suspend" | "resume" | "revoke";

interface Device {
  device: string;
  model: string;
  status: Status;
  enrolled: string;
}

interface Model {
  model: string;
  manufacturer: string;
  display: string;
}

interface Bundle {
  entry?: { resource: { id: string; serialNumber?: string } }[];
}

interface Shown extends Device {
  name: string;
  manufacturer: string;
  serial: string;
}

const VERBS: Record<Status, Verb[]> = {
  pending: ["approve", "revoke"],
  active: ["suspend", "revoke"],
  suspended: ["resume", "revoke"],
  revoked: [],
};

async function mine(person: SignedIn): Promise<Shown[]> {
  const devices = await askAs<Device[]>(person, "/devices");
  const models = await askAs<Model[]>(person, "/devices/models");
  // Two of one model are told apart by the number on their label.
  const records = await askAs<Bundle>(person, "/fhir/Device?_elements=serialNumber&_count=1000");
  const known = new Map(models.map((each) => [each.model, each]));
  const serials = new Map(
    (records.entry ?? []).map(({ resource }) => [`Device/${resource.id}`, resource.serialNumber]),
  );
  const inUse = (one: Device) => one.status !== "revoked";
  return [...devices.filter(inUse), ...devices.filter((one) => !inUse(one))].map((each) => ({
    ...each,
    name: known.get(each.model)?.display ?? each.model,
    manufacturer: known.get(each.model)?.manufacturer ?? "",
    serial: serials.get(each.device) ?? "",
  }));
}

export function Devices() {
  const texts = useTexts();
  const person = usePerson();
  if (person.kind === "patient") return <OfResident />;
  return (
    <Frame title={texts.homeDevices} home>
      <p class="lead">{texts.devicesOfResidents}</p>
    </Frame>
  );
}

function OfResident() {
  const texts = useTexts();
  const person = usePerson();
  const [answer, again] = useAnswer(useCallback(() => mine(person), [person]));
  const [asked, setAsked] = useState<Asked | null>(null);
  const [told, setTold] = useState<Told | null>(null);
  const brought = useBroughtCode();
  // Whoever comes by a code begins with it; when it is entered, the device stands first.
  const [code, setCode] = useState(brought);

  const added = async (serial: string) => {
    await again();
    setCode("");
    setTold(good(texts.deviceAdded(serial)));
  };
  const change = async (device: string, verb: Verb) => {
    try {
      await tellAs(person, `/devices/${device.replace("Device/", "")}/${verb}`, {});
      await again();
      setTold(good(texts.changed[verb] ?? ""));
    } catch (error) {
      await again();
      setTold(refused(error, texts));
    }
  };
  const begin = ({ device, name, serial }: Shown, verb: Verb) => {
    if (verb !== "revoke") {
      void change(device, verb);
      return;
    }
    setAsked({ text: texts.sureToRevoke(name, serial), yes: texts.revoke, then: () => void change(device, verb) });
  };

  const claim = <Claim key={code} code={code} onAdded={added} onTold={setTold} />;
  return (
    <Frame title={texts.homeDevices} home>
      <p class="lead">{texts.devicesLead}</p>
      <Notice told={told} />
      {code !== "" && claim}
      <Loaded answer={answer} again={again}>
        {(devices) =>
          devices.length === 0 ? (
            <p>{texts.noDevices}</p>
          ) : (
            <ul class="cards">
              {devices.map((one) => (
                <OneDevice key={one.device} one={one} onVerb={begin} />
              ))}
            </ul>
          )
        }
      </Loaded>
      {code === "" && claim}
      <Question
        asked={asked}
        onClose={() => {
          setAsked(null);
        }}
      />
    </Frame>
  );
}

function OneDevice({ one, onVerb }: { one: Shown; onVerb: (one: Shown, verb: Verb) => void }) {
  const texts = useTexts();
  return (
    <li class="card">
      <h2>{one.name}</h2>
      <p>
        <span class={`badge ${one.status}`}>{texts.statuses[one.status]}</span> {one.manufacturer}
      </p>
      {one.status === "pending" && <p class="hint">{texts.pendingWhat}</p>}
      <Facts>
        {[
          [texts.serial, one.serial],
          [texts.enrolled, <When at={one.enrolled} />],
        ]}
      </Facts>
      <div class="choices">
        {VERBS[one.status].map((verb) => (
          <button
            key={verb}
            type="button"
            class={verb === "approve" ? "main" : ""}
            onClick={() => {
              onVerb(one, verb);
            }}
          >
            {texts[verb]}
          </button>
        ))}
      </div>
    </li>
  );
}
