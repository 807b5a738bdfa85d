"""What a started demo says of itself: where to look, and commands that work as they are copied.

https://curl.se/docs/manpage.html
"""

import os
import shlex
import shutil
import sys
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from passport.demo.personas import Persona, PersonaFile
from passport.settings import Settings


def guide(people: PersonaFile, settings: Settings, elsewhere: str) -> str:
    """The text for the terminal: addresses, personas, and one line to try for each idea.

    `elsewhere` is where somebody signs in by the mock provider.
    """
    where = _where(people, elsewhere, settings.state)
    return "\n".join(("", *where, "", *_who(people), "", *_try(people), "", *_more(settings)))


def _where(people: PersonaFile, elsewhere: str, state: Path) -> Iterator[str]:
    yield f"The passport serves on {people.base_url}   (Ctrl-C ends everything)"
    yield f"  Pages                     {people.base_url}/"
    yield f"  API, to read and to try   {people.base_url}/docs"
    yield f"  FHIR base                 {people.fhir_url}        ({people.fhir_url}/metadata)"
    yield f"  Sign in elsewhere (mock)  {elsewhere}"
    public = urlsplit(people.base_url)
    if _is_number(public.hostname or ""):
        name = f"PASSPORT_PUBLIC_URL={public.scheme}://localhost:{public.port}"
        by_name = f"{name} {_command()} demo --state {shlex.quote(str(state))} --port {public.port}"
        yield f"  Passkeys                  want an address with a name: {by_name}"


def _is_number(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _who(people: PersonaFile) -> Iterator[str]:
    yield "Tokens, good for two hours:"
    for name, persona in people.personas.items():
        yield f"  {name:<20} {persona.token}  {persona.purpose:<7} {persona.reference}"


def _try(people: PersonaFile) -> Iterator[str]:
    resident, physician = people.personas["resident"], people.personas["physician"]
    patient = resident.patient
    search = f"{people.fhir_url}/Observation?patient={patient}"
    yield "# The physician sees blood pressure, as granted ..."
    yield _curl(physician, f"{search}&code=85354-9&_sort=-date&_count=3")
    yield "# ... and not the weight."
    yield _curl(physician, f"{search}&code=29463-7")
    yield "# 誰が見たか: the resident reads who looked, and under which consent."
    yield _curl(resident, f"{people.base_url}/audit/accesses?patient={patient}")
    yield "# The medicines, from the pharmacy's handbook."
    yield _curl(physician, f"{people.fhir_url}/MedicationDispense?patient={patient}&_count=3")


def _more(settings: Settings) -> Iterator[str]:
    yield f"Another token: {_command()} token --state {settings.state} --as REFERENCE --purpose TREAT"
    yield f"Logs: {settings.state / 'logs'}"


def _command() -> str:
    """What to type for `passport`: its path, unless the shell finds this very one."""
    installed = Path(sys.executable).with_name("passport")
    if shutil.which("passport") == str(installed):
        return "passport"
    return os.path.relpath(installed) if installed.is_relative_to(Path.cwd()) else str(installed)


def _curl(persona: Persona, address: str) -> str:
    return f"curl -s -H 'Authorization: Bearer {persona.token}' '{address}'"
