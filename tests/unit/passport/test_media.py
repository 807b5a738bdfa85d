"""Which media types a caller takes, and of which a body is.

https://www.rfc-editor.org/rfc/rfc9110#section-12.5.1
http://hl7.org/fhir/R4/http.html#version-parameter
"""

import pytest

from passport.routes.media import Media, media_of, takes_fhir


@pytest.mark.parametrize(
    "accept",
    [
        "application/fhir+json",
        "Application/FHIR+JSON; charset=UTF-8",
        "application/json",
        "text/json",
        "json",
        "*/*",
        "*",
        "application/*;q=0.1",
        "text/html, image/gif, *; q=.2, */*; q=.2",
        "application/fhir+xml, application/fhir+json;q=0.5",
        "application/json;q=0, */*",
        "application/*;q=0, application/json",
        "*/*;q=0, application/fhir+json",
        "application/fhir+json; fhirVersion=4.0",
        'application/fhir+json; FHIRVERSION="4.0"',
        "application/fhir+json; fhirVersion=4.0.1",
        "application/fhir+json; fhirVersion=3.0, application/fhir+json; fhirVersion=4.0",
        "application/fhir+json; fhirVersion=3.0, */*;q=0.1",
        'text/html; note="a, b", application/json',
    ],
)
def test_json_of_this_version_is_taken(accept: str) -> None:
    assert takes_fhir(accept)


@pytest.mark.parametrize(
    "accept",
    [
        "",
        ",",
        "text/html",
        "application/fhir+xml",
        "text/*",
        "application/fhir+json;q=0",
        "application/fhir+json; q=0.000",
        "application/fhir+json;q=0, */*",
        "application/fhir+json;q=0, application/json",
        "application/json;q=0",
        "application/*;q=0, */*",
        "*/*;q=0",
        "application/fhir+json;q=banana",
        "application/fhir+json;q=2",
        "application/fhir+json;q=nan",
        "application/fhir+json; fhirVersion=3.0",
        "application/json; fhirVersion=5.0",
        "*/*; fhirVersion=3.0",
        'text/html; note="application/json, json"',
        '"',
    ],
)
def test_anything_else_is_not(accept: str) -> None:
    assert not takes_fhir(accept)


@pytest.mark.parametrize(
    ("header", "media"),
    [
        ("", Media("", None, 1.0)),
        ("application/json", Media("application/json", None, 1.0)),
        (
            'Application/FHIR+JSON ; charset="UTF-8";fhirVersion = 3.0',
            Media("application/fhir+json", "3.0", 1.0),
        ),
        ("text/plain; fhirVersion", Media("text/plain", None, 1.0)),
    ],
)
def test_a_media_type_is_read_with_its_version(header: str, media: Media) -> None:
    assert media_of(header) == media
    assert media.is_r4 is (media.version is None)
