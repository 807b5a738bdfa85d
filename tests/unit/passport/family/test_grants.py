"""What is left of a Consent when one of those whom it names is taken out."""

from passport.family.grants import without
from tests.unit.consent.words import Json, consent_json, deny, permit

PROXY = "RelatedPerson/daughter"
OTHER = "Practitioner/a"


def left(root: Json) -> Json | None:
    """The provision without the proxy, None where the Consent ends."""
    tree = without(consent_json(root, "Patient/1"), PROXY)
    return tree["provision"] if tree["status"] == "active" else None


def actors(provision: Json) -> list[str]:
    return [actor["reference"]["reference"] for actor in provision.get("actor", [])]


def test_a_consent_for_the_proxy_alone_ends() -> None:
    assert left(permit(PROXY)) is None


def test_a_consent_for_others_too_goes_on_for_them() -> None:
    kept = left(permit(PROXY, OTHER))
    assert kept is not None
    assert actors(kept) == [OTHER]


def test_a_provision_that_would_be_for_everybody_ends_the_whole() -> None:
    assert left(permit(OTHER, PROXY, but=[deny(PROXY)])) is None
    assert left(deny(but=[permit(PROXY)])) is None


def test_exceptions_are_looked_into() -> None:
    kept = left(permit(OTHER, but=[deny(OTHER, PROXY)]))
    assert kept is not None
    assert actors(kept["provision"][0]) == [OTHER]


def test_a_consent_that_does_not_name_the_proxy_stays_as_it_is() -> None:
    root = permit(OTHER, but=[deny(OTHER)])
    assert left(root) == consent_json(root, "Patient/1")["provision"]
