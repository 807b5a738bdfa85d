"""Profiles: what a resource must hold beyond R4 where it claims so, or where it is asked.

http://hl7.org/fhir/R4/profiling.html

A profile that is not in the table is said to be unknown, never taken for kept.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from fhirstore.errors import Problem, Severity
from fhirstore.validate.profiles import jp_clins, jp_core, vital_signs
from fhirstore.validate.profiles.rules import Demand

_BASE: Final = "http://hl7.org/fhir/StructureDefinition/"
_SHOWN: Final = re.compile(r"[A-Za-z0-9:/._\-|#]{1,200}")


@dataclass(frozen=True, slots=True)
class Profile:
    """One profile: its canonical URL, the resource type it is of, the versions known, and its demands.

    `held` says that whoever claims it is held to it when the record is stored: it is what institutions
    agreed to send one another. Other profiles are checked on demand alone.
    """

    url: str
    type: str
    versions: tuple[str, ...]
    demands: tuple[Demand, ...]
    held: bool = False

    @property
    def name(self) -> str:
        """What the profile is called in messages."""
        return self.url.rpartition("/")[2]


PROFILES: Final[Mapping[str, Profile]] = MappingProxyType(
    {
        base + name: Profile(base + name, type_name, versions, demands, held)
        for base, versions, rows, held in (
            (vital_signs.BASE, vital_signs.VERSIONS, vital_signs.PROFILES, False),
            (jp_core.BASE, jp_core.VERSIONS, jp_core.PROFILES, False),
            (jp_clins.BASE, jp_clins.VERSIONS, jp_clins.PROFILES, True),
        )
        for name, type_name, demands in rows
    }
)


def claimed(tree: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the canonical URLs that a resource claims in `meta.profile`."""
    meta = tree.get("meta")
    named = meta.get("profile") if isinstance(meta, dict) else None
    return tuple(each for each in named if isinstance(each, str)) if isinstance(named, list) else ()


def profile_problems(
    tree: Mapping[str, Any], canonicals: Iterable[str], *, unknown: Severity = "warning"
) -> list[Problem]:
    """Return what a resource lacks of profiles.

    Args:
        tree: a resource that R4 finds valid.
        canonicals: the profiles' URLs, each with or without `|version`.
        unknown: how severe it is that a profile is not known: an error where somebody asks to check it.
    """
    return [found for canonical in dict.fromkeys(canonicals) for found in _against(tree, canonical, unknown)]


def held_problems(tree: Mapping[str, Any]) -> list[Problem]:
    """Return what a resource lacks of the profiles that it claims and is held to."""
    held = [each for each in claimed(tree) if (profile := PROFILES.get(_url(each))) and profile.held]
    return [found for found in profile_problems(tree, held) if found.severity == "error"]


def _url(canonical: str) -> str:
    return canonical.partition("|")[0]


def _against(tree: Mapping[str, Any], canonical: str, unknown: Severity) -> Iterator[Problem]:
    root = str(tree.get("resourceType", ""))
    url, _, version = canonical.partition("|")
    if url == _BASE + root:
        return
    profile = PROFILES.get(url)
    if profile is None:
        shown = f"`{canonical}`" if _SHOWN.fullmatch(canonical) else "that was asked for"
        yield Problem(unknown, "not-found", root, f"profile {shown} is not known here and was not checked")
        return
    if profile.type != root:
        yield Problem(
            "error", "invalid", root, f"got {root}, but {profile.name} is a profile of {profile.type}"
        )
        return
    if version and not any(f"{version}.".startswith(f"{known}.") for known in profile.versions):
        known = " and ".join(profile.versions)
        yield Problem(
            "warning",
            "not-found",
            root,
            f"{profile.name} was checked as of version {known}, not as of another",
        )
    for demand in profile.demands:
        for found in demand.problems(tree):
            yield Problem(found.severity, found.code, found.expression, f"{profile.name}: {found.text}")


__all__ = ["PROFILES", "Profile", "claimed", "held_problems", "profile_problems"]
