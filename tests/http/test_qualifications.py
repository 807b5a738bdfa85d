"""A clinician shows a certificate at a browser; it is recorded and told to them, and opens nothing."""

from base64 import urlsafe_b64encode
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from httpx import Response

from tests.authorities import Authority, Holder
from tests.http.apps import Browser, signed_in
from tests.http.identity_town import City

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def town(module_city: City) -> City:
    return module_city


@pytest.fixture(scope="module")
def authority(town: City) -> Authority:
    """One that the installation trusts."""
    root = Authority("HPKI Root CA (made up)", town.clock().replace(microsecond=0))
    folder = town.runtime.settings.state / "hpki"
    folder.mkdir()
    (folder / "roots.pem").write_text(root.pem)
    return root


@pytest.fixture
async def doctor(town: City) -> Browser:
    role = await town.role(await town.practitioner(), await town.organization())
    return await signed_in(town, role, "TREAT")


async def asked(browser: Browser) -> dict[str, str]:
    answer = await browser.post("/auth/qualifications/challenge", {"csrf": await browser.csrf()})
    assert answer.status_code == 201, answer.text
    told: dict[str, str] = answer.json()
    return told


async def shown(
    browser: Browser, holder: Holder, challenge: dict[str, str], *, by: Holder | None = None, **changes: Any
) -> Response:
    key = (by or holder).key
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    made = key.sign(challenge["to_sign"].encode(), ec.ECDSA(SHA256()))
    body = {
        "csrf": await browser.csrf(),
        "certificates": [holder.pem],
        "challenge": challenge["challenge"],
        "signature": urlsafe_b64encode(made).decode().rstrip("="),
        **changes,
    }
    return await browser.post("/auth/qualifications", body)


async def test_a_physicians_certificate_is_recorded_and_told(
    town: City, authority: Authority, doctor: Browser
) -> None:
    holder = authority.issued("Medical Doctor")
    answer = await shown(doctor, holder, await asked(doctor))
    assert answer.status_code == 201, answer.text
    told = answer.json()
    assert (told["titles"], told["revocation"]) == (["Medical Doctor"], "not-checked")
    (listed,) = (await doctor.get("/auth/qualifications")).json()["qualifications"]
    assert listed == told
    assert town.audited("qualification-record")[-1]["outcome"] == "success"
    assert "KAKU" not in str(town.rows("SELECT * FROM qualification"))
    # Once more is the same qualification.
    again = await shown(doctor, holder, await asked(doctor))
    assert again.json()["id"] == told["id"]


async def test_a_challenge_counts_once_and_at_its_own_browser(
    town: City, authority: Authority, doctor: Browser
) -> None:
    holder, challenge = authority.issued("Dentist"), await asked(doctor)
    other = await signed_in(
        town, await town.role(await town.practitioner(), await town.organization()), "TREAT"
    )
    assert (await shown(other, holder, challenge)).status_code == 403
    assert (await shown(doctor, holder, challenge)).status_code == 201
    assert (await shown(doctor, holder, challenge)).status_code == 403
    assert town.audited("qualification-record")[-1]["detail"] == "challenge"


async def test_a_forged_signature_spends_the_challenge_and_records_nothing(
    town: City, authority: Authority, doctor: Browser
) -> None:
    holder, challenge = authority.issued("Dentist"), await asked(doctor)
    forged = await shown(doctor, holder, challenge, by=authority.issued("Dentist"))
    assert forged.status_code == 403
    assert town.audited("qualification-record")[-1]["detail"] == "signature"
    assert (await shown(doctor, holder, challenge)).status_code == 403
    assert (await doctor.get("/auth/qualifications")).json()["qualifications"] == []


async def test_a_colleagues_certificate_stays_theirs(
    town: City, authority: Authority, doctor: Browser
) -> None:
    holder = authority.issued("Pharmacist")
    assert (await shown(doctor, holder, await asked(doctor))).status_code == 201
    other = await signed_in(
        town, await town.role(await town.practitioner(), await town.organization()), "TREAT"
    )
    refused = await shown(other, holder, await asked(other))
    assert (refused.status_code, town.audited("qualification-record")[-1]["detail"]) == (403, "another")


async def test_a_certificate_without_a_title_or_of_another_authority_is_none(
    town: City, authority: Authority, doctor: Browser
) -> None:
    for holder, reason in (
        (authority.issued(), "role"),
        (Authority(authority.name, authority.now).issued("Dentist"), "chain"),
    ):
        answer = await shown(doctor, holder, await asked(doctor))
        assert (answer.status_code, town.audited("qualification-record")[-1]["detail"]) == (403, reason)


async def test_a_resident_and_a_form_of_another_site_get_no_further(
    town: City, authority: Authority, doctor: Browser
) -> None:
    resident = await signed_in(town, await town.resident())
    assert (await resident.get("/auth/qualifications")).status_code == 403
    csrf = {"csrf": await resident.csrf()}
    assert (await resident.post("/auth/qualifications/challenge", csrf)).status_code == 403
    foreign = await doctor.post("/auth/qualifications/challenge", {"csrf": "x"})
    assert foreign.status_code == 403
    unfit = await shown(doctor, authority.issued("Dentist"), await asked(doctor), certificates=["?"])
    assert unfit.status_code == 400
