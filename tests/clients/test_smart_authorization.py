"""Clients of others come to a token by themselves: they know the passport's FHIR address, and what was registered.

https://github.com/smart-on-fhir/client-py
https://docs.authlib.org/en/latest/client/requests.html
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx
import pytest
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7523 import PrivateKeyJWT, private_key_jwt_sign
from fhirclient.client import FHIRClient
from fhirclient.models.observation import Observation
from fhirclient.models.patient import Patient
from fhirclient.server import FHIRUnauthorizedException
from joserfc.jwk import ECKey

from tests import resources as made
from tests.clients.conftest import Practice
from tests.http.apps import JSON, answer_of

REDIRECT = "http://127.0.0.1:8910/callback"
OPERATOR = ("operator", "HOPERAT")
ASSERTION_SECONDS = 240


@dataclass(frozen=True)
class Registered:
    """A client that an operator registered; `key` is its own, if it has one."""

    practice: Practice
    client_id: str
    key: ECKey

    @property
    def token_url(self) -> str:
        return f"{self.practice.served.base_url}/auth/token"

    @property
    def header(self) -> dict[str, Any]:
        """What an assertion names beside its algorithm."""
        return {"kid": self.key.kid}

    def assertion(self) -> str:
        """Who it is, signed by its key for a few minutes."""
        signed: str = private_key_jwt_sign(
            self.key,
            self.client_id,
            self.token_url,
            alg="ES384",
            header=self.header,
            expires_in=ASSERTION_SECONDS,
        )
        return signed


def registered(practice: Practice, **members: Any) -> Registered:
    key = ECKey.generate_key("P-384", {"kid": uuid4().hex})
    one = Registered(practice, f"client-{uuid4().hex[:8]}", key)
    maker = practice.served.create(*OPERATOR, made.organization("見本システム（架空）"))
    body = {
        "name": "見本（架空）",
        "subject": maker,
        "jwks": {"keys": [key.as_dict(private=False)]},
        **members,
    }
    practice.served.registered(
        one.client_id, {name: value for name, value in body.items() if value is not None}
    )
    return one


@pytest.fixture(scope="module")
def app(practice: Practice) -> Registered:
    return registered(
        practice,
        jwks=None,
        token_endpoint_auth_method="none",
        purposes=["PATRQT"],
        redirect_uris=["http://127.0.0.1/callback"],
    )


@pytest.fixture(scope="module")
def person(practice: Practice) -> Iterator[httpx.Client]:
    """The browser of the resident, who is signed in at it."""
    served = practice.served
    with served.caller(*OPERATOR) as operator:
        body = {"login": f"u-{uuid4().hex[:8]}", "subject": practice.patient, "purposes": ["PATRQT"]}
        code = operator.post("/auth/sign-in-codes", json=body).json()
    headers = {**JSON, "Origin": served.base_url, "Sec-Fetch-Site": "same-origin"}
    with httpx.Client(headers=headers, timeout=30) as browser:
        signing = {"login": code["login"], "code": code["code"]}
        assert browser.post(f"{served.base_url}/auth/login", json=signing).status_code == 200
        yield browser


def launched(app: Registered, scope: str) -> Any:
    """The client, which has learned from the CapabilityStatement where it sends its person."""
    settings = {
        "app_id": app.client_id,
        "api_base": app.practice.served.fhir_url,
        "redirect_uri": REDIRECT,
        "scope": scope,
    }
    smart = FHIRClient(settings=settings)
    assert smart.ready is False
    smart.prepare()
    return smart


def allowed(person: httpx.Client, asked: str) -> str:
    """Where somebody is sent who allows what an address asks for."""
    address, _, query = asked.partition("?")
    offered = person.get(asked).json()
    body = {"request": query, "csrf": offered["csrf"], "decision": "allow", "purpose": "PATRQT"}
    answer = person.post(f"{address}/decision", json=body)
    assert answer.status_code == 200, answer.text
    sent: str = answer.json()["redirect_to"]
    return sent


def test_fhirclient_is_allowed_by_a_person_and_goes_on_by_refreshing(
    app: Registered, person: httpx.Client
) -> None:
    patient = app.practice.patient
    smart = launched(app, "openid fhirUser offline_access patient/*.rs")
    sent = allowed(person, smart.authorize_url)
    assert sent.startswith(f"{REDIRECT}?")
    smart.handle_callback(sent)
    assert smart.patient_id == patient.partition("/")[2]
    assert smart.patient.name[0].text == "見本 花子"
    struct = {"patient": patient, "code": "85354-9"}
    assert list(Observation.where(struct=struct).perform_resources_iter(smart.server))
    former = smart.server.auth.access_token
    assert smart.reauthorize()
    assert smart.server.auth.access_token != former
    assert Patient.read(smart.patient_id, smart.server).id == smart.patient_id


def test_fhirclient_is_narrowed_to_what_its_person_allowed(app: Registered, person: httpx.Client) -> None:
    smart = launched(app, "patient/Patient.r")
    smart.handle_callback(allowed(person, smart.authorize_url))
    assert smart.patient.id == smart.patient_id
    with pytest.raises(Exception, match="403"):
        list(Observation.where(struct={"code": "85354-9"}).perform_resources_iter(smart.server))


def test_fhirclient_learns_that_its_person_denied(app: Registered, person: httpx.Client) -> None:
    smart = launched(app, "patient/*.rs")
    address, _, query = smart.authorize_url.partition("?")
    denying = {"request": query, "csrf": person.get(smart.authorize_url).json()["csrf"], "decision": "deny"}
    sent = person.post(f"{address}/decision", json=denying).json()["redirect_to"]
    assert answer_of(sent)["error"] == "access_denied"
    with pytest.raises(Exception, match="denied"):
        smart.handle_callback(sent)
    with pytest.raises(FHIRUnauthorizedException):
        Patient.read("unknown", smart.server)


@pytest.fixture(scope="module")
def service(practice: Practice) -> Registered:
    """A backend service that may act for one purpose alone."""
    one = registered(practice, grant_types=["client_credentials"], purposes=["PUBHLTH"])
    assert one.key.as_dict(private=False)["crv"] == "P-384"
    return one


def test_a_backend_service_proves_itself_by_es384(service: Registered) -> None:
    lasting = {"exp": int(time.time()) + ASSERTION_SECONDS}
    with OAuth2Session(service.client_id, service.key, "private_key_jwt") as client:
        proof = PrivateKeyJWT(service.token_url, claims=lasting, headers=service.header, alg="ES384")
        client.register_client_auth_method(proof)
        token = client.fetch_token(
            service.token_url, grant_type="client_credentials", purpose_of_use="PUBHLTH", scope="system/*.rs"
        )
        assert (token["token_type"], token["expires_in"], token["scope"]) == ("Bearer", 300, "system/*.rs")
        answer = client.get(f"{service.practice.served.fhir_url}/Organization")
    assert answer.status_code == 200
    assert "refresh_token" not in token


def test_fhirclient_as_a_backend_service_needs_no_purpose_where_one_alone_is_allowed(
    service: Registered,
) -> None:
    settings = {
        "app_id": service.client_id,
        "api_base": service.practice.served.fhir_url,
        "scope": "system/Organization.rs",
        "jwt_token": service.assertion(),
    }
    smart = FHIRClient(settings=settings)
    smart.wants_patient = False
    smart.prepare()
    smart.authorize()
    assert smart.server.request_json("Organization")["type"] == "searchset"
