"""What an app asks for, in words that people read.

https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from passport.identity.authorization.argument_words import argument_words
from passport.identity.authorization.wanted import (
    FHIR_USER,
    LAUNCH,
    LAUNCH_ENCOUNTER,
    LAUNCH_PATIENT,
    OFFLINE,
    OPENID,
)
from passport.identity.record_scopes import ALL_TYPES, DECIDING, WRITING, RecordScope
from passport.sharing.words import Words

BESIDE: Final[Mapping[str, Words]] = MappingProxyType(
    {
        OPENID: Words("あなたがサインインしたことを確かめる", "know that it is you who signed in"),
        FHIR_USER: Words("あなたの登録の番号を知る", "know the number of your registration"),
        LAUNCH: Words("開いている患者や受診を知る", "know which patient or visit is open"),
        LAUNCH_PATIENT: Words("どなたの記録を開くかを知る", "know whose records are to be opened"),
        LAUNCH_ENCOUNTER: Words("どの受診が開いているかを知る", "know which visit is open"),
        OFFLINE: Words(
            "あなたが使っていないときも、取り消すまで続ける（長くて90日）",
            "go on while you are not there, until you take it back (for 90 days at most)",
        ),
    }
)
"""Scopes that open no record."""

_ALL: Final = Words("すべての種類の記録", "records of every kind")
_TYPES: Final[Mapping[str, Words]] = MappingProxyType(
    {
        "AllergyIntolerance": Words("アレルギー", "allergies"),
        "Appointment": Words("予約", "appointments"),
        "AuditEvent": Words("だれが見たかの記録", "the log of who looked"),
        "Binary": Words("添付ファイル", "attached files"),
        "Bundle": Words("まとまった文書", "bundled documents"),
        "CarePlan": Words("ケアプラン", "care plans"),
        "CareTeam": Words("ケアチーム", "care teams"),
        "Communication": Words("連絡の記録", "messages"),
        "CommunicationRequest": Words("連絡の依頼", "requests for messages"),
        "Composition": Words("文書", "documents"),
        "Condition": Words("病名", "conditions"),
        "Consent": Words("同意", "consents"),
        "Coverage": Words("保険", "insurance"),
        "Device": Words("機器", "devices"),
        "DeviceMetric": Words("機器の設定", "settings of devices"),
        "DiagnosticReport": Words("検査の報告", "diagnostic reports"),
        "DocumentReference": Words("文書の一覧", "references to documents"),
        "Encounter": Words("受診", "visits"),
        "EpisodeOfCare": Words("療養の期間", "episodes of care"),
        "FamilyMemberHistory": Words("家族の病歴", "family history"),
        "Goal": Words("目標", "goals"),
        "Group": Words("グループ", "groups"),
        "Immunization": Words("予防接種", "immunizations"),
        "List": Words("リスト", "lists"),
        "Location": Words("場所", "locations"),
        "Medication": Words("薬の情報", "medicinal products"),
        "MedicationAdministration": Words("投薬の記録", "administrations of medicines"),
        "MedicationDispense": Words("調剤", "dispensed medicines"),
        "MedicationRequest": Words("処方", "prescriptions"),
        "MedicationStatement": Words("服薬の記録", "medicines being taken"),
        "Observation": Words("測定や検査の値", "measurements and test results"),
        "Organization": Words("医療機関", "organizations"),
        "Patient": Words("氏名や生年月日など", "name, birth date and the like"),
        "Person": Words("人の登録", "registrations of people"),
        "Practitioner": Words("医療者", "practitioners"),
        "PractitionerRole": Words("医療者の所属", "roles of practitioners"),
        "Procedure": Words("処置や手術", "procedures"),
        "Provenance": Words("記録の由来", "where records come from"),
        "Questionnaire": Words("問診票", "questionnaires"),
        "QuestionnaireResponse": Words("問診の回答", "answers to questionnaires"),
        "RelatedPerson": Words("家族や代理の方", "relatives and proxies"),
        "ServiceRequest": Words("検査や処置の依頼", "orders"),
        "Specimen": Words("検体", "specimens"),
        "Subscription": Words("お知らせの登録", "subscriptions"),
        "Task": Words("作業", "tasks"),
    }
)
_RIGHTS: Final[Mapping[str, Words]] = MappingProxyType(
    {
        "c": Words("追加", "add"),
        "r": Words("閲覧", "read"),
        "u": Words("変更", "change"),
        "d": Words("削除", "delete"),
        "s": Words("検索", "search"),
    }
)


_DECIDES: Final = Words(
    "あなたに代わって、だれがあなたの記録を見るかを決める", "decide in your name who sees your records"
)
_DECIDES_FOR_OTHERS: Final = Words(
    "あなたの名で、だれが記録を見るかに関わる", "have a say in your name about who sees records"
)
_UNDECIDED: Final = Words("（だれが見るかを決めることはできません）", " (it cannot decide who sees them)")


def record_words(scope: RecordScope) -> Words:
    """What a scope of records lets an app do; consents of the people concerned leave less of it."""
    what = _ALL if scope.type == ALL_TYPES else _TYPES.get(scope.type, Words(scope.type, scope.type))
    verbs = [_RIGHTS[right] for right in scope.rights]
    ja, en = "・".join(verb.ja for verb in verbs), ", ".join(verb.en for verb in verbs)
    which = argument_words(scope.arguments)
    said = Words(f"{what.ja}{which.ja}の{ja}", f"{en}: {what.en}{which.en}")
    if not WRITING & set(scope.rights):
        return said
    if scope.type in DECIDING:
        decides = _DECIDES if scope.context == "patient" else _DECIDES_FOR_OTHERS
        return Words(f"{decides.ja}（{said.ja}）", f"{decides.en} ({said.en})")
    if scope.type == ALL_TYPES:
        return Words(f"{said.ja}{_UNDECIDED.ja}", f"{said.en}{_UNDECIDED.en}")
    return said
