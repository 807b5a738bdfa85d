"""Notifications: what a resident is told, and the task that writes it down.

http://hl7.org/fhir/R4/communication.html

A notification names records by reference and quotes none of them; what it says beside that is one sentence
per kind. It is left in the transaction that gives the reason for it, and told once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal, get_args
from uuid import UUID

from psycopg.types.json import Jsonb

from passport.outbox import store
from passport.outbox.keeping import keeping
from passport.outbox.promise import OutboxError, Promise, leave
from passport.runtime import Runtime
from passport.sql import Connection, fetch

TASK: Final = "notify"

SHOWN: Final = 200
"""Notifications that one answer holds, the newest."""

Kind = Literal[
    "access-requested",
    "access-granted",
    "access-withdrawn",
    "emergency-opened",
    "sign-in-code-issued",
    "device-enrolment-pending",
    "reading-quarantined",
    "import-finished",
    "import-refused",
    "import-quarantined",
    "import-doubted",
    "registrations-merged",
    "registrations-separated",
    "death-recorded",
    "death-taken-back",
]


@dataclass(frozen=True, slots=True)
class Sentence:
    """What a kind of notification says, in both languages."""

    ja: str
    en: str


SENTENCES: Final[Mapping[Kind, Sentence]] = {
    "access-requested": Sentence(
        "あなたの記録の閲覧を求める申し込みがあります。内容を確かめて、許可するかどうかを選んでください。",
        "Someone asks to see records of yours. Check what they ask for, then allow it or do not.",
    ),
    "access-granted": Sentence(
        "記録の共有を始めました。いつでもやめることができます。",
        "You started sharing records. You can stop at any time.",
    ),
    "access-withdrawn": Sentence("記録の共有をやめました。", "You stopped sharing records."),
    "emergency-opened": Sentence(
        "救急の場で、医療者があなたの記録を開きました。理由は後で確認されます。",
        "In an emergency a clinician opened your records. The reason will be reviewed.",
    ),
    "sign-in-code-issued": Sentence(
        "あなた、またはあなたの代理の方のサインインコードが発行されました。心当たりがなければ市の窓口に知らせてください。",
        "A sign-in code was issued for you or for someone who acts for you. If you know nothing of it, "
        "tell the city desk.",
    ),
    "device-enrolment-pending": Sentence(
        "新しい測定機器が登録を待っています。あなたの機器であれば承認してください。",
        "A new device waits to be enrolled. Approve it if it is yours.",
    ),
    "reading-quarantined": Sentence(
        "確かめが必要な測定値を別に保管しました。医師には表示されません。",
        "A reading that needs a check is kept apart. Physicians do not see it.",
    ),
    "import-finished": Sentence(
        "お薬の記録を取り込みました。",
        "A medication record was imported.",
    ),
    "import-doubted": Sentence(
        "取り込んだお薬の記録の氏名か生年月日が、登録と違います。ご自分のものか確かめてください。",
        "An imported medication record names another birth date or name than yours. Check whether it is yours.",
    ),
    "registrations-merged": Sentence(
        "あなたの二つの登録を、同じ方のものとして一つにまとめました。共有の設定はそれぞれそのままです。"
        "心当たりがなければ市の窓口に知らせてください。",
        "Two registrations of yours were put together. What you share by each of them stays as it was. "
        "If they are not both yours, tell the city desk.",
    ),
    "registrations-separated": Sentence(
        "まとめた二つの登録を、元のとおり別々に戻しました。",
        "Two registrations that had been put together are separate again, as they were.",
    ),
    "death-recorded": Sentence(
        "お亡くなりになったことが登録されました。共有と閲覧は、定めに従って終わります。誤りであれば市の窓口に知らせてください。",
        "A death was recorded. Sharing ends as the law says. If this is an error, tell the city desk.",
    ),
    "death-taken-back": Sentence(
        "誤って登録された死亡の記録を取り消しました。共有は元のとおりです。",
        "A death that was recorded in error was taken back. What was shared is shared again.",
    ),
    "import-refused": Sentence(
        "お薬の記録を取り込めませんでした。",
        "A medication record could not be imported.",
    ),
    "import-quarantined": Sentence(
        "別の方のものかもしれないお薬の記録を、取り込まずに保管しました。",
        "A medication record that may be someone else's was kept apart and not imported.",
    ),
}


class UnknownKind(OutboxError):
    """A notification of a kind that has no sentence."""


@dataclass(frozen=True, slots=True)
class Notice:
    """One notification as the resident reads it; `about` maps a role in the event to a reference."""

    id: UUID
    kind: Kind
    time: datetime
    about: Mapping[str, str]

    def as_json(self) -> dict[str, Any]:
        """The JSON of it; `time` is RFC 3339 in UTC."""
        return {
            "id": str(self.id),
            "kind": self.kind,
            "time": self.time.astimezone(UTC).isoformat(timespec="milliseconds"),
            "about": dict(self.about),
            "text": asdict(SENTENCES[self.kind]),
        }


async def tell(
    connection: Connection,
    patient_key: int,
    kind: Kind,
    about: Mapping[str, str],
    *,
    outbox_id: UUID,
    now: datetime,
) -> None:
    """Promise the resident a notification, in the transaction of `connection`.

    `about` maps words such as `by`, `consent`, `device`, `import` to references.
    """
    await leave(
        connection, patient_key, TASK, {"kind": kind, "about": dict(about)}, outbox_id=outbox_id, now=now
    )


async def carry_out(runtime: Runtime, promise: Promise) -> None:
    """Write the notification of a promise down; its id is the promise's, so it is there once.

    Raises:
        Taken: another attempt is at it.
        UnknownKind: the row asks for a kind that has no sentence.
    """
    arguments: Mapping[str, Any] = promise.arguments
    if arguments["kind"] not in get_args(Kind):
        raise UnknownKind
    async with keeping(runtime, promise) as connection:
        await fetch(
            connection,
            store.NOTE,
            {
                "patient_key": promise.patient_key,
                "notification_id": promise.outbox_id,
                "kind": arguments["kind"],
                "about": Jsonb(arguments["about"]),
                "created_at": promise.left_at,
            },
        )


async def read(connection: Connection, patient_key: int) -> Sequence[Notice]:
    """The newest notifications of a patient, newest first."""
    rows = await fetch(connection, store.NOTES, {"patient_key": patient_key, "limit": SHOWN})
    return [Notice(row.notification_id, row.kind, row.created_at, row.about) for row in rows]
