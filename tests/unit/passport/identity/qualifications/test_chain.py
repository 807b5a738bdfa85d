"""Which certificates are taken for a qualification, and which are not."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256, SHA384
from cryptography.x509 import load_pem_x509_crl

from passport.identity.qualifications.chain import Trusted, certificates_of, checked, signed_by
from passport.identity.qualifications.der import NotDer
from passport.identity.qualifications.errors import NotQualified
from passport.identity.qualifications.role import titles_of
from passport.settings import Settings
from tests.authorities import Authority, Holder, hc_role, oid, tlv

NOW: Final = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture(scope="module")
def root() -> Authority:
    return Authority("HPKI Root CA (made up)", NOW)


@pytest.fixture(scope="module")
def authority(root: Authority) -> Authority:
    return Authority("HPKI CA for persons (made up)", NOW, root)


def trusted(root: Authority, *lists: str) -> Trusted:
    return Trusted([root.certificate], [load_pem_x509_crl(each.encode()) for each in lists])


def shown(holder: Holder, *between: Authority) -> list[bytes]:
    return [holder.pem.encode(), *(each.pem.encode() for each in between)]


def test_a_physician_is_told_by_the_certificate_and_that_nobody_looked_for_its_end(
    root: Authority, authority: Authority
) -> None:
    holder = authority.issued("Medical Doctor")
    found = certificates_of(shown(holder, authority))
    assert checked(found, trusted(root), now=NOW) == "not-checked"
    assert titles_of(found[0]) == ("Medical Doctor",)


def test_pem_and_der_and_several_in_one_text_are_read(root: Authority, authority: Authority) -> None:
    holder = authority.issued("Pharmacist", "Director of Hospital")
    together = (holder.pem + authority.pem).encode()
    assert titles_of(certificates_of([together])[0]) == ("Director of Hospital", "Pharmacist")
    assert len(certificates_of([together])) == 2


Bad = Callable[[Authority, Authority], tuple[list[bytes], str]]
_BAD: Final[dict[str, Bad]] = {
    "expired": lambda _, ca: (shown(ca.issued("Medical Doctor", ends=-timedelta(days=1)), ca), "chain"),
    "not yet": lambda _, ca: (
        shown(ca.issued("Medical Doctor", begins=timedelta(days=1)), ca),
        "chain",
    ),
    "other root": lambda _, __: (
        shown(Authority("HPKI Root CA (made up)", NOW).issued("Medical Doctor")),
        "chain",
    ),
    "nothing between": lambda _, ca: (shown(ca.issued("Medical Doctor")), "chain"),
    "by somebody": lambda _, ca: (_by_somebody(ca), "chain"),
    "for documents": lambda _, ca: (
        shown(ca.issued("Medical Doctor", used_for=("content_commitment",)), ca),
        "key-usage",
    ),
    "an authority's": lambda root, ca: ([ca.pem.encode(), root.pem.encode()], "key-usage"),
    "one that may issue": lambda _, ca: (
        shown(ca.issued("Medical Doctor", ca=True), ca),
        "chain",
    ),
}


def _by_somebody(authority: Authority) -> list[bytes]:
    """A certificate that the holder of another one issued."""
    holder = authority.issued("Medical Doctor")
    assert isinstance(holder.key, ec.EllipticCurvePrivateKey)
    forger = Authority("KAKU Ichiro", NOW, key=holder.key)
    return [
        *shown(
            forger.issued("Medical Doctor"),
        ),
        holder.pem.encode(),
        authority.pem.encode(),
    ]


@pytest.mark.parametrize("name", list(_BAD))
def test_what_leads_to_no_trusted_authority_is_not_believed(
    root: Authority, authority: Authority, name: str
) -> None:
    texts, reason = _BAD[name](root, authority)
    with pytest.raises(NotQualified) as refusal:
        checked(certificates_of(texts), trusted(root), now=NOW)
    assert refusal.value.reason == reason


def test_what_is_no_certificate_is_refused() -> None:
    for texts in ([], [b"x"], [b"-----BEGIN CERTIFICATE-----\n"], [b"0" * 40_000]):
        with pytest.raises(NotQualified):
            certificates_of(texts)


def test_a_list_says_what_was_taken_back(root: Authority, authority: Authority) -> None:
    good, bad = authority.issued("Dentist"), authority.issued("Dentist")
    known = trusted(root, authority.revoked(bad.certificate), root.revoked())
    assert checked(certificates_of(shown(good, authority)), known, now=NOW) == "good"
    with pytest.raises(NotQualified, match="was taken back"):
        checked(certificates_of(shown(bad, authority)), known, now=NOW)
    by_root = trusted(root, authority.revoked(), root.revoked(authority.certificate))
    with pytest.raises(NotQualified, match="was taken back"):
        checked(certificates_of(shown(good, authority)), by_root, now=NOW)


def test_a_list_that_is_old_missing_or_forged_says_nothing(root: Authority, authority: Authority) -> None:
    found = certificates_of(shown(authority.issued("Dentist"), authority))
    forged = Authority(authority.name, NOW).revoked()
    for lists in (
        [authority.revoked(ends=-timedelta(hours=1)), root.revoked()],
        [root.revoked()],
        [authority.revoked()],
        [forged, root.revoked()],
    ):
        with pytest.raises(NotQualified, match="not known whether"):
            checked(found, trusted(root, *lists), now=NOW)


def test_a_signature_counts_by_the_key_of_the_certificate(authority: Authority) -> None:
    small = rsa.generate_private_key(65_537, 2_048)
    for holder in (authority.issued("Dentist"), authority.issued("Dentist", key=small)):
        key, other = holder.key, ec.generate_private_key(ec.SECP256R1())
        made = (
            key.sign(b"challenge", ec.ECDSA(SHA256()))
            if isinstance(key, ec.EllipticCurvePrivateKey)
            else key.sign(b"challenge", padding.PKCS1v15(), SHA256())
        )
        signed_by(holder.certificate, made, b"challenge")
        for signature, message in (
            (made, b"another"),
            (other.sign(b"challenge", ec.ECDSA(SHA256())), b"challenge"),
            (other.sign(b"challenge", ec.ECDSA(SHA384())), b"challenge"),
            (b"", b"challenge"),
        ):
            with pytest.raises(NotQualified):
                signed_by(holder.certificate, signature, message)


def test_another_attribute_or_scheme_names_no_title(authority: Authority) -> None:
    plain = authority.issued()
    other_scheme = authority.issued("Medical Doctor", scheme="1.2.3.4")
    other_attribute = authority.issued("Medical Doctor", attribute="1.0.17090.0.2")
    for holder in (plain, other_scheme, other_attribute):
        assert titles_of(holder.certificate) == ()


@pytest.mark.parametrize(
    "extension",
    [
        b"",
        b"\x30",
        b"\x30\x80",
        b"\x30\x81\x01\x00",
        hc_role("Medical Doctor") + b"\x00",
        hc_role("Medical Doctor")[:-1],
        hc_role("<script>"),
        hc_role("x" * 100),
        tlv(0x30, tlv(0x30, oid("1.0.17090.0.1"))),
        tlv(0x30, tlv(0x30, oid("1.0.17090.0.1"), tlv(0x31, tlv(0x30)))),
        tlv(0x30, tlv(0x30, oid("1.0.17090.0.1"), tlv(0x31, tlv(0x31, tlv(0x30))))),
    ],
)
def test_what_cannot_be_read_names_no_title(authority: Authority, extension: bytes) -> None:
    holder = authority.issued(extension=extension)
    with pytest.raises(NotDer):
        titles_of(holder.certificate)


def test_a_passport_without_authorities_takes_no_certificate(tmp_path: Path, root: Authority) -> None:
    settings = Settings(state=tmp_path, key_file=tmp_path / "keys.json")
    with pytest.raises(NotQualified, match="trusts no authority"):
        Trusted.read(settings)
    folder = tmp_path / "hpki"
    folder.mkdir()
    (folder / "roots.pem").write_text(root.pem)
    assert Trusted.read(settings).roots == [root.certificate]
    for content, lists in ((root.revoked() + root.revoked(), 2), ("", None), ("nothing", None)):
        (folder / "revoked.pem").write_text(content)
        if lists is None:
            with pytest.raises(NotQualified, match="trusts no authority"):
                Trusted.read(settings)
        else:
            assert len(Trusted.read(settings).lists) == lists
