"""The SMART JavaScript client of Boston Children's Hospital, in a real browser, through standalone launch.

https://github.com/smart-on-fhir/client-js
"""

import json
from urllib.parse import urlencode

from playwright.sync_api import expect

from tests.browser.people import Village
from tests.browser.relying import Relying
from tests.browser.watching import Watched


def test_an_app_is_launched_allowed_and_reads(person: Watched, town: Village, relying_page: Relying) -> None:
    patient = town.resident("星野 葵（架空）")
    town.pressure(patient)
    client_id = town.client(redirect_uris=["http://127.0.0.1/app.html"])
    launch = urlencode({"iss": town.served.fhir_url, "client_id": client_id})
    person.page.goto(f"{relying_page.origin}/launch.html?{launch}")
    person.sign_in(town.code(patient))
    person.heading("「見本アプリ（架空）」")
    person.press("許可する")
    shown = person.page.locator("output")
    expect(shown).to_contain_text("patient")
    read = json.loads(shown.inner_text())
    assert read == {
        "patient": patient.partition("/")[2],
        "name": "星野 葵（架空）",
        "user": patient,
        "scope": "fhirUser launch/patient openid patient/Observation.rs patient/Patient.r",
        "pressures": [128],
        "refused": 403,
    }
