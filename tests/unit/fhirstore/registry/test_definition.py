import pytest

from fhirstore.registry.definition import Component, Kind, component, composite, date, reference, token


def test_parameter_reads_the_element_of_its_own_name() -> None:
    assert token("status").paths == (("status",),)
    assert reference("based-on", targets="CarePlan ServiceRequest").paths == (("basedOn",),)
    assert token("verification-status").paths == (("verificationStatus",),)


def test_elements_are_dotted_and_several_in_one_text() -> None:
    assert date("effective", "effectiveDateTime a.b").paths == (("effectiveDateTime",), ("a", "b"))


def test_reference_without_targets_may_lead_anywhere() -> None:
    assert reference("focus").targets == ()
    assert reference("subject", targets="Group Patient").targets == ("Group", "Patient")


def test_dot_is_the_resource_itself() -> None:
    pair = composite("pair", ". part", component(Kind.TOKEN, "code"), component(Kind.DATE, "x y.z"))
    assert pair.paths == ((), ("part",))
    assert pair.components == (
        Component(Kind.TOKEN, (("code",),)),
        Component(Kind.DATE, (("x",), ("y", "z"))),
    )


@pytest.mark.parametrize(("kind", "code"), [(Kind.TOKEN, "token"), (Kind.COMPOSITE, "composite")])
def test_kind_is_called_as_in_the_specification(kind: Kind, code: str) -> None:
    assert kind.code == code
