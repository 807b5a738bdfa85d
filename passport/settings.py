"""The settings of one installation: read once, frozen, handed in.

What an installation is (its mode, its time zone) is written into its folder when it is made; where its
database and its keys are may come from the environment as well, since that is a matter of the machine.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Final, Literal, Self, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import orjson

from passport.addresses import ADDRESSES, address
from passport.custodian import SILENT, Custodian
from passport.environment import SettingsUnusable, of_environment

Mode = Literal["production", "demo", "sandbox"]

FILE_NAME: Final = "settings.json"
KEY_FILE_NAME: Final = "keys.json"

DEFAULT_ZONE: Final = ZoneInfo("Asia/Tokyo")

ACCESS_TOKEN_SECONDS: Final = 300
ACCESS_TOKEN_MAX_SECONDS: Final = 3_600
"""A token is no session: what it is good for is checked on every request, and still it ends soon."""

EMERGENCY_REVIEW_DAYS: Final = 7
EMERGENCY_REVIEW_MAX_DAYS: Final = 365

SECOND_FACTOR_KINDS: Final = ("practitioner", "operator", "auditor", "clerk", "approver", "proxy", "patient")
"""Who may be told to show a second factor."""

STEP_UP_MINUTES: Final = 5
STEP_UP_MAX_MINUTES: Final = 720
DEMO_STEP_UP_MINUTES: Final = 120
"""As long as the tokens of a demo's personas are good: what its pages show can be copied at any time."""

PRODUCTION_SECOND_FACTOR: Final = "practitioner,operator,auditor"
NO_KIND: Final = "none"

SIGN_IN_CODE_LASTS: Final = timedelta(days=90)
"""As long as an app goes on at most for somebody who does not come back: a code on paper opens no more than that."""
SIGN_IN_CODE_MAX_DAYS: Final = 365

ENDS: Final = "end"
STAYS: Final = "stay"
LINGER_MAX_DAYS: Final = 36_500

_NUMBERS: Final[Mapping[str, int]] = {
    "port": 65_535,
    "access_token_seconds": ACCESS_TOKEN_MAX_SECONDS,
    "emergency_review_days": EMERGENCY_REVIEW_MAX_DAYS,
    "step_up_minutes": STEP_UP_MAX_MINUTES,
    "sign_in_code_days": SIGN_IN_CODE_MAX_DAYS,
}
"""Settings that are whole numbers, each with the most that it may be."""

_MAY_BE_0: Final = frozenset({"port", "step_up_minutes"})

_WRITTEN: Final = (
    "mode",
    "zone",
    "access_token_seconds",
    "grants_after_death",
    "proxies_after_death",
    "emergency_review_days",
    "second_factor",
    "step_up_minutes",
    "sign_in_code_days",
)
"""What the installation's folder keeps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of a process.

    An empty `database_url` stands for the embedded server until that runs, an empty `broker_url` for queues
    in the same database. `base_url` is how clients reach the service, without a slash at its end; by default
    the address that it listens on. `trusted_proxies` are the addresses or networks, separated by commas, whose
    word about a caller's address is believed; by default nobody's. `grants_after_death` says what the law of the
    place does to a person's grants when they die: `end` at once, `stay`, or end after a number of days;
    `proxies_after_death` says it of the grants by which relatives act for them. `custodian` is what receipts say of
    who keeps the passport. An opening in an emergency that was not reviewed `emergency_review_days` after it was over
    is overdue. `second_factor` names the kinds of people, separated by commas, who get nowhere by one factor, or
    `none`; empty is what goes with the mode. `step_up_minutes` is how long ago somebody may have proved who they are
    where that has to be lately; 0 is what goes with the mode. `sign_in_code_days` is how long a sign-in code is good
    while nobody signs in by it. With `tls_certificate`, a chain in PEM, and its `tls_key`
    the service speaks TLS by itself.
    """

    state: Path
    key_file: Path
    database_url: str = ""
    migration_url: str = ""
    broker_url: str = ""
    zone: ZoneInfo = DEFAULT_ZONE
    host: str = "127.0.0.1"
    port: int = 8000
    mode: Mode = "production"
    access_token_seconds: int = ACCESS_TOKEN_SECONDS
    base_url: str = ""
    trusted_proxies: str = ""
    grants_after_death: str = ENDS
    proxies_after_death: str = ENDS
    emergency_review_days: int = EMERGENCY_REVIEW_DAYS
    second_factor: str = ""
    step_up_minutes: int = 0
    sign_in_code_days: int = SIGN_IN_CODE_LASTS.days
    custodian: Custodian = SILENT
    tls_certificate: Path | None = None
    tls_key: Path | None = None

    def __post_init__(self) -> None:
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise SettingsUnusable("got one of `tls_certificate` and `tls_key`, expected both or none")
        if self.migration_url and not self.database_url:
            raise SettingsUnusable(
                "got `PASSPORT_MIGRATION_URL` alone, expected `PASSPORT_DATABASE_URL` as well"
            )
        if not self.base_url:
            object.__setattr__(self, "base_url", self._listening_url)

    @property
    def _listening_url(self) -> str:
        scheme = "http" if self.tls_certificate is None else "https"
        return f"{scheme}://{self.host}:{self.port}"

    @property
    def fhir_url(self) -> str:
        """The base of the FHIR addresses."""
        return f"{self.base_url}/fhir"

    @property
    def token_url(self) -> str:
        """The token endpoint, which is also the audience of a client's assertion."""
        return f"{self.base_url}/auth/token"

    @property
    def second_factor_kinds(self) -> frozenset[str]:
        """The kinds of people who get nowhere by one factor: in production clinicians, operators and auditors."""
        named = self.second_factor or (PRODUCTION_SECOND_FACTOR if self.mode == "production" else NO_KIND)
        return frozenset(named.split(",")) - {NO_KIND}

    @property
    def step_up(self) -> timedelta:
        """How long ago somebody may have proved who they are where that has to be lately."""
        by_mode = STEP_UP_MINUTES if self.mode == "production" else DEMO_STEP_UP_MINUTES
        return timedelta(minutes=self.step_up_minutes or by_mode)

    @property
    def code_lasts_unused(self) -> timedelta:
        """How long a sign-in code is good while nobody signs in by it."""
        return timedelta(days=self.sign_in_code_days)

    @property
    def grants_linger(self) -> timedelta | None:
        """How long a person's grants outlive them, None where they stay."""
        return _lingering(self.grants_after_death)

    @property
    def proxies_linger(self) -> timedelta | None:
        """How long the grants of those who act for a person outlive them, None where they stay."""
        return _lingering(self.proxies_after_death)

    @property
    def sandbox(self) -> bool:
        """Whether conformance suites work here: further types are held, and records that name nobody."""
        return self.mode == "sandbox"

    @property
    def hands_out_tokens(self) -> bool:
        """Whether this installation gives a token to whoever holds its folder: never in production."""
        return self.mode in {"demo", "sandbox"}

    @classmethod
    def load(cls, state: Path, *, environ: Mapping[str, str] | None = None, **overrides: object) -> Self:
        """Read the settings of the installation in the folder `state`.

        Args:
            state: the folder; it need not hold settings yet.
            environ: the environment, the process's own by default; it counts more than the folder.
            overrides: settings by name; they count most. None is no override.

        Raises:
            SettingsUnusable: an unknown setting, or a value that it cannot have.
        """
        variables = os.environ if environ is None else environ
        found = _written(state / FILE_NAME)
        found |= of_environment(variables)
        found |= {name: value for name, value in overrides.items() if value is not None}
        unknown = found.keys() - {field.name for field in fields(cls)}
        if unknown:
            raise SettingsUnusable(f"got unknown settings: {', '.join(sorted(unknown))}")
        values: dict[str, Any] = {name: _value(name, value) for name, value in found.items()}
        return cls(**{"state": state, "key_file": state / KEY_FILE_NAME, **values})

    def save(self) -> None:
        """Write into the folder what the installation is; atomically, so that no reader sees half of it."""
        content: dict[str, object] = {name: str(getattr(self, name)) for name in _WRITTEN}
        if self.base_url != self._listening_url:
            content["base_url"] = self.base_url
        if self.custodian.stated:
            content["custodian"] = self.custodian.stated
        path = self.state / FILE_NAME
        written = path.with_suffix(".new")
        written.unlink(missing_ok=True)
        written.touch(mode=0o600)
        written.write_bytes(orjson.dumps(content, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
        written.replace(path)

    def at(self, **changes: Any) -> Self:
        """Return the settings with some of them changed; a default `base_url` follows host and port."""
        follows = {"base_url": ""} if self.base_url == self._listening_url else {}
        return replace(self, **{**follows, **changes})


def _written(path: Path) -> dict[str, object]:
    try:
        content = orjson.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    except orjson.JSONDecodeError:
        content = None
    if not isinstance(content, dict):
        raise SettingsUnusable(f"settings file `{path}`: expected a JSON object")
    return content


def _value(name: str, value: object) -> object:
    """Read one setting, a text wherever it came from a file or the environment."""
    if name == "zone":
        return value if isinstance(value, ZoneInfo) else _zone(str(value))
    if name in _NUMBERS:
        return _count(name, value, _NUMBERS[name])
    if name in {"grants_after_death", "proxies_after_death"}:
        return text if (text := str(value)) in {ENDS, STAYS} else str(_count(name, value, LINGER_MAX_DAYS))
    if name == "second_factor":
        return _kinds(str(value))
    if name == "trusted_proxies":
        return _networks(str(value))
    if name == "custodian":
        return value if isinstance(value, Custodian) else _custodian(value)
    if name in {"key_file", "state", "tls_certificate", "tls_key"}:
        return Path(str(value))
    if name == "mode" and value not in get_args(Mode):
        raise SettingsUnusable(f"got mode `{value}`, expected one of {', '.join(get_args(Mode))}")
    return address(name, str(value)) if name in ADDRESSES else str(value)


def _custodian(content: object) -> Custodian:
    try:
        return Custodian.read(content)
    except ValueError as error:
        raise SettingsUnusable(f"got unusable particulars in `custodian`, {error}") from None


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise SettingsUnusable(f"got time zone `{name}`, expected a name such as `Asia/Tokyo`") from None


def _networks(text: str) -> str:
    listed = [part.strip() for part in text.split(",") if part.strip()]
    for part in listed:
        try:
            open_to_all = ip_network(part).prefixlen == 0
        except ValueError:
            open_to_all = True
        if open_to_all:
            expected = "addresses or networks such as `10.0.0.7,10.1.0.0/24`"
            raise SettingsUnusable(f"got trusted proxy `{part[:60]}`, expected {expected}")
    return ",".join(listed)


def _kinds(text: str) -> str:
    listed = [part.strip() for part in text.split(",") if part.strip()]
    if listed != [NO_KIND] and not set(listed) <= set(SECOND_FACTOR_KINDS):
        expected = f"`{NO_KIND}` or some of {', '.join(SECOND_FACTOR_KINDS)}"
        raise SettingsUnusable(f"got `second_factor` `{text[:60]}`, expected {expected}")
    return ",".join(listed)


def _lingering(law: str) -> timedelta | None:
    return None if law == STAYS else timedelta(days=0 if law == ENDS else int(law))


def _count(name: str, value: object, most: int) -> int:
    text = str(value)
    if not (text.isascii() and text.isdigit()) or not (name in _MAY_BE_0 or int(text)) or int(text) > most:
        raise SettingsUnusable(f"got `{name}` `{text[:20]}`, expected a whole number up to {most}")
    return int(text)
