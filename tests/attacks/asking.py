"""Requests of each route, drawn: about what is shown, hidden, absent, or was written by the caller."""

from base64 import b64encode
from collections.abc import Callable
from random import Random
from typing import Final
from urllib.parse import urlencode

import orjson

from consent.systems import ACT_CODE
from passport.sharing.presets import Preset
from passport.sharing.wording import WORDINGS, Language
from tests import resources as made
from tests.attacks import bodies, queries
from tests.attacks.scene import DAYS, NEVER, Asked, Scene
from tests.http.handbooks import handbook
from tests.sharing import CARD, asking
from tests.town import FHIR_JSON
from tests.unit.consent.words import Json, consent_json, deny, permit

Ask = Callable[[Random, Scene], Asked]

MODEL: Final = "hoshi-cuff-1"
FORM: Final = "application/x-www-form-urlencoded"
JSON: Final = "application/json"
JSON_PATCH: Final = "application/json-patch+json"
HANDBOOK: Final = handbook("20260401")
"""A file that was handed over for somebody whom the caller may not see."""

_CONDITIONS: Final[tuple[dict[str, str], ...]] = (
    {"If-None-Match": 'W/"1"'},
    {"If-None-Match": "*"},
    {"If-Modified-Since": "Sun, 22 Nov 2099 00:00:00 GMT"},
    {"Prefer": "handling=lenient"},
    {},
    {},
    {},
)
_PREFERENCES: Final[tuple[dict[str, str], ...]] = (
    {},
    {},
    {"Prefer": "return=minimal"},
    {"Prefer": "return=OperationOutcome"},
)
_PARTS: Final = ("", "", "", "?_summary=true", "?_summary=text", "?_elements=subject", "?_pretty=true")


def _get(path: str, draw: Random, *pairs: tuple[str, str]) -> Asked:
    method = "HEAD" if draw.random() < 0.05 else "GET"
    return Asked.of(method, path, None, *pairs, **draw.choice(_CONDITIONS))


def _if_match(draw: Random) -> dict[str, str]:
    return draw.choice(({}, {}, {"If-Match": 'W/"1"'}, {"If-Match": 'W/"2"'}, {"If-Match": 'W/"9"'}))


def read(draw: Random, scene: Scene) -> Asked:
    return _get(f"/fhir/{scene.record(draw)}{draw.choice(_PARTS)}", draw)


def vread(draw: Random, scene: Scene) -> Asked:
    version = draw.choice(("1", "1", "2", "3", "9"))
    return _get(f"/fhir/{scene.record(draw)}/_history/{version}{draw.choice(_PARTS)}", draw)


def history(draw: Random, scene: Scene) -> Asked:
    return _get(f"/fhir/{scene.record(draw)}/_history", draw, *queries.changes(draw))


def history_of_type(draw: Random, scene: Scene) -> Asked:
    return _get(f"/fhir/{draw.choice(queries.SEARCHED)}/_history", draw, *queries.changes(draw))


def history_of_all(draw: Random, scene: Scene) -> Asked:
    return _get("/fhir/_history", draw, *queries.changes(draw))


def search(draw: Random, scene: Scene) -> Asked:
    if scene.links and draw.random() < 0.25:
        return Asked.of("GET", draw.choice(scene.links))
    if draw.random() < (0.2 if scene.links else 0.6):
        walk = (("patient", scene.patient(draw)), ("_count", draw.choice(("1", "2"))))
        return _get(
            "/fhir/Observation", draw, *walk, ("_sort", draw.choice(("date", "-_lastUpdated", "_id")))
        )
    type_name = draw.choice((*queries.SEARCHED, draw.choice(scene.types)))
    return _get(f"/fhir/{type_name}", draw, *queries.query(draw, scene, type_name))


def search_by_post(draw: Random, scene: Scene) -> Asked:
    type_name = draw.choice(queries.SEARCHED)
    return _form(f"/fhir/{type_name}/_search", queries.query(draw, scene, type_name))


def search_across(draw: Random, scene: Scene) -> Asked:
    return _get("/fhir", draw, *queries.across(draw, scene))


def search_across_by_post(draw: Random, scene: Scene) -> Asked:
    return _form("/fhir/_search", queries.across(draw, scene))


def search_compartment(draw: Random, scene: Scene) -> Asked:
    if draw.random() < 0.4:
        return _get(f"/fhir/{scene.patient(draw)}/*", draw, *queries.across(draw, scene))
    type_name = draw.choice(scene.types)
    return _get(f"/fhir/{scene.patient(draw)}/{type_name}", draw, *queries.query(draw, scene, type_name))


def search_compartment_by_post(draw: Random, scene: Scene) -> Asked:
    type_name = draw.choice(scene.types)
    return _form(f"/fhir/{scene.patient(draw)}/{type_name}/_search", queries.query(draw, scene, type_name))


def search_whole_compartment_by_post(draw: Random, scene: Scene) -> Asked:
    return _form(f"/fhir/{scene.patient(draw)}/_search", queries.across(draw, scene))


def _form(path: str, pairs: list[tuple[str, str]]) -> Asked:
    return Asked("POST", path, urlencode(pairs).encode(), {"Content-Type": FORM})


def create(draw: Random, scene: Scene) -> Asked:
    tree = bodies.body(draw, scene)
    type_name = tree["resourceType"]
    headers = dict(draw.choice(_PREFERENCES))
    if draw.random() < 0.25:
        headers["If-None-Exist"] = urlencode([queries.condition(draw, scene, type_name)], safe="/:|,$")
    return Asked.of("POST", f"/fhir/{type_name}", tree, **headers)


def update(draw: Random, scene: Scene) -> Asked:
    target = scene.record(draw)
    type_name, _, id_ = target.partition("/")
    tree = {**bodies.body_of(draw, scene, type_name), "resourceType": type_name, "id": id_}
    return Asked.of("PUT", f"/fhir/{target}", tree, **_if_match(draw), **draw.choice(_PREFERENCES))


def update_by_condition(draw: Random, scene: Scene) -> Asked:
    type_name = draw.choice(("Observation", "Observation", "MedicationRequest"))
    tree = bodies.body_of(draw, scene, type_name)
    if draw.random() < 0.2:
        tree = {**tree, "id": scene.record(draw, type_name).partition("/")[2]}
    return Asked.of("PUT", f"/fhir/{type_name}", tree, *_narrow(draw, scene, type_name), **_if_match(draw))


def _narrow(draw: Random, scene: Scene, type_name: str) -> list[tuple[str, str]]:
    """Conditions that may well match one record alone."""
    one = (("_id", scene.record(draw, type_name).partition("/")[2]),)
    day = (("patient", scene.patient(draw)), ("identifier", f"{bodies.WEIGHTS}|{draw.choice(DAYS)}"))
    return list(draw.choice((one, day, tuple(queries.query(draw, scene, type_name, paged=False)))))


def patch(draw: Random, scene: Scene) -> Asked:
    target = scene.record(draw)
    return _patched(draw, f"/fhir/{target}", target.partition("/")[0])


def patch_by_condition(draw: Random, scene: Scene) -> Asked:
    type_name = draw.choice(("Observation", "Observation", "MedicationRequest"))
    pairs = _narrow(draw, scene, type_name)
    return _patched(draw, f"/fhir/{type_name}?{urlencode(pairs, safe='/:|,$')}", type_name)


def _patched(draw: Random, path: str, type_name: str) -> Asked:
    tree = bodies.json_patch(draw) if draw.random() < 0.7 else bodies.fhirpath_patch(draw, type_name)
    kind = JSON_PATCH if isinstance(tree, list) else FHIR_JSON
    return Asked.of("PATCH", path, tree, **{**_if_match(draw), "Content-Type": kind})


def delete(draw: Random, scene: Scene) -> Asked:
    return Asked.of("DELETE", f"/fhir/{scene.record(draw)}", **_if_match(draw))


def delete_by_condition(draw: Random, scene: Scene) -> Asked:
    type_name = draw.choice(("Observation", "Observation", "MedicationRequest"))
    return Asked.of("DELETE", f"/fhir/{type_name}", None, *_narrow(draw, scene, type_name), **_if_match(draw))


_ENTRIES: Final = (
    read, vread, search, search_across, search_compartment, history, create, create, update, update_by_condition,
    patch, delete, delete_by_condition,
)  # fmt: skip


def bundle(draw: Random, scene: Scene) -> Asked:
    entries = [_entry(draw.choice(_ENTRIES)(draw, scene)) for _ in range(draw.choice((1, 2, 3)))]
    tree = {"resourceType": "Bundle", "type": draw.choice(("batch", "transaction")), "entry": entries}
    return Asked.of("POST", "/fhir", tree, **draw.choice(({}, {"Prefer": "return=representation"})))


def _entry(asked: Asked) -> Json:
    """The request as an entry of a Bundle."""
    request = {"method": asked.method, "url": asked.path.removeprefix("/fhir").removeprefix("/")}
    for header, name in (("If-Match", "ifMatch"), ("If-None-Exist", "ifNoneExist")):
        if header in asked.headers:
            request[name] = asked.headers[header]
    if asked.content is None:
        return {"request": request}
    if asked.headers["Content-Type"] == JSON_PATCH:
        data = b64encode(asked.content).decode()
        tree = {"resourceType": "Binary", "contentType": JSON_PATCH, "data": data}
    else:
        tree = _json(asked)
    return {"request": request, "resource": tree}


def everything(draw: Random, scene: Scene) -> Asked:
    choices = [
        ("_count", draw.choice(("1", "2", "50"))),
        ("_type", draw.choice(("Observation", "Observation,MedicationRequest", ",".join(scene.types[:5])))),
        ("_since", "2026-11-01T00:02:00Z"),
        ("start", draw.choice(DAYS)),
        ("_elements", "subject"),
    ]
    return _operation(
        draw, f"{scene.patient(draw)}/$everything", draw.sample(choices, draw.choice((0, 1, 2)))
    )


def lastn(draw: Random, scene: Scene) -> Asked:
    pairs = [
        ("patient", scene.patient(draw)),
        *draw.sample((("max", "2"), ("category", "vital-signs"), ("code", "85354-9")), draw.choice((0, 1))),
    ]
    return _operation(draw, "Observation/$lastn", pairs)


def summary(draw: Random, scene: Scene) -> Asked:
    return _operation(draw, f"{scene.patient(draw)}/$summary", [])


def _operation(draw: Random, path: str, pairs: list[tuple[str, str]]) -> Asked:
    if draw.random() < 0.7:
        return _get(f"/fhir/{path}", draw, *pairs)
    listed = [{"name": name, "valueString": value} for name, value in pairs]
    return Asked.of("POST", f"/fhir/{path}", {"resourceType": "Parameters", "parameter": listed})


def meta(draw: Random, scene: Scene) -> Asked:
    return _operation(draw, f"{scene.record(draw)}/$meta", [])


def meta_add(draw: Random, scene: Scene) -> Asked:
    return _meta_change(draw, scene, "meta-add")


def meta_delete(draw: Random, scene: Scene) -> Asked:
    return _meta_change(draw, scene, "meta-delete")


def _meta_change(draw: Random, scene: Scene, verb: str) -> Asked:
    tag = {"tag": [{"system": "http://example.test/tags", "code": draw.choice(("one", "two"))}]}
    meta = draw.choice((tag, made.labelled(draw.choice(("N", "R"))), made.labelled((ACT_CODE, "PSY")), {}))
    tree = {"resourceType": "Parameters", "parameter": [{"name": "meta", "valueMeta": meta}]}
    return Asked.of("POST", f"/fhir/{scene.record(draw)}/${verb}", tree, **_if_match(draw))


def type_meta(draw: Random, scene: Scene) -> Asked:
    return _operation(draw, f"{draw.choice(scene.types)}/$meta", [])


def system_meta(draw: Random, scene: Scene) -> Asked:
    return _operation(draw, "$meta", [])


def validate(draw: Random, scene: Scene) -> Asked:
    tree = bodies.body(draw, scene)
    return Asked.of("POST", f"/fhir/{tree['resourceType']}/$validate", tree)


def validate_instance(draw: Random, scene: Scene) -> Asked:
    target = scene.record(draw)
    if draw.random() < 0.5:
        return _get(f"/fhir/{target}/$validate", draw)
    tree = bodies.body_of(draw, scene, target.partition("/")[0])
    return Asked.of("POST", f"/fhir/{target}/$validate", tree)


def break_glass(draw: Random, scene: Scene) -> Asked:
    # Whoever may open anybody's records learns by it who is here: that is what an opening is for.
    patient = draw.choice(scene.people)
    return Asked.of(
        "POST", "/auth/break-glass", {"patient": patient, "reason": "架空の救急"}, Content_Type=JSON
    )


def hand_out_code(draw: Random, scene: Scene) -> Asked:
    return Asked.of("POST", "/auth/sign-in-codes", {"subject": scene.patient(draw)}, Content_Type=JSON)


def withdraw_code(draw: Random, scene: Scene) -> Asked:
    return Asked.of("DELETE", f"/auth/sign-in-codes/{scene.patient(draw).partition('/')[2]}")


def confirm_code(draw: Random, scene: Scene) -> Asked:
    return Asked.of("POST", f"/auth/sign-in-codes/{scene.patient(draw).partition('/')[2]}/confirm")


def end_opening(draw: Random, scene: Scene) -> Asked:
    return Asked.of("POST", f"/emergencies/{NEVER}/end")


def bar_emergencies(draw: Random, scene: Scene) -> Asked:
    listed = draw.choice(({}, {"categories": ["medicines"]}, {"categories": ["nothing"]}))
    return Asked.of("POST", "/emergencies/bars", listed, Content_Type=JSON)


def review_opening(draw: Random, scene: Scene) -> Asked:
    tree = {"verdict": "justified", "comment": "架空の確認"}
    return Asked.of("POST", f"/emergencies/reviews/{NEVER}", tree, Content_Type=JSON)


def invite(draw: Random, scene: Scene) -> Asked:
    tree = {"name": "架空 家子", "relationship": draw.choice(("child", "nobody"))}
    return Asked.of("POST", "/family/proxies", tree, Content_Type=JSON)


def end_proxy(draw: Random, scene: Scene) -> Asked:
    return Asked.of("POST", f"/family/proxies/{scene.record(draw, 'RelatedPerson').partition('/')[2]}/end")


def end_guardian(draw: Random, scene: Scene) -> Asked:
    return Asked.of(
        "POST", f"/desk/guardianships/{scene.record(draw, 'RelatedPerson').partition('/')[2]}/end"
    )


def enter_matter(draw: Random, scene: Scene) -> Asked:
    kind = draw.choice(("guardian", "sign-in"))
    tree = {"kind": kind, "patient": scene.patient(draw), "name": "架空", "relationship": "parent"}
    return Asked.of("POST", "/desk/matters", tree, Content_Type=JSON)


def decide_matter(draw: Random, scene: Scene) -> Asked:
    return Asked.of("POST", f"/desk/matters/{NEVER}/{draw.choice(('confirm', 'decline'))}")


def enrol(draw: Random, scene: Scene) -> Asked:
    tree = bodies.enrolment(draw, scene, MODEL)
    return Asked.of("POST", "/devices/enrolments", tree, Content_Type=JSON)


def redeem_claim(draw: Random, scene: Scene) -> Asked:
    whose = draw.choice(({}, {"patient": scene.patient(draw)}))
    return Asked.of("POST", "/devices/claims/redeem", {"code": "ABCD-EFGH", **whose}, Content_Type=JSON)


def certify(draw: Random, scene: Scene) -> Asked:
    path = f"/devices/{draw.choice(scene.devices)}/certificate"
    if draw.random() < 0.5:
        return Asked("POST", path, bodies.KEY_REQUEST, {"Content-Type": "application/pkcs10"}, signed=True)
    said = orjson.dumps({"aud": "elsewhere", "iat": 0, "csr": ""})
    return Asked("POST", path, scene.pen.sign(said), {"Content-Type": "application/jose"}, signed=True)


def change_device(draw: Random, scene: Scene) -> Asked:
    verb = draw.choice(("approve", "suspend", "resume", "revoke", "forget"))
    return Asked.of("POST", f"/devices/{draw.choice(scene.devices)}/{verb}")


def send_readings(draw: Random, scene: Scene) -> Asked:
    path = f"/devices/{draw.choice(scene.devices)}/readings"
    jose = {"Content-Type": "application/jose"}
    return Asked("POST", path, bodies.readings(draw, scene), jose, signed=True)


def hand_over(draw: Random, scene: Scene) -> Asked:
    query = urlencode((("patient", scene.patient(draw)), ("format", "jahis")), safe="/")
    data = draw.choice((HANDBOOK, handbook("20260402")))
    return Asked("POST", f"/imports?{query}", data, {"Content-Type": "application/octet-stream"})


def receipt(draw: Random, scene: Scene) -> Asked:
    consent = scene.record(draw, "Consent").partition("/")[2]
    version = draw.choice(("", "", "?version=1", "?version=2", "?version=x"))
    accept = draw.choice(("application/jose", "application/json", "*/*"))
    return Asked.of("GET", f"/sharing/receipts/{consent}{version}", Accept=accept)


def import_status(draw: Random, scene: Scene) -> Asked:
    return Asked.of("GET", f"/imports/{draw.choice(scene.imports)}")


def accesses(draw: Random, scene: Scene) -> Asked:
    pairs = draw.choice(((), (("patient", scene.patient(draw)),), (("_count", "1"),)))
    return Asked.of("GET", "/audit/accesses", None, *pairs)


def open_case(draw: Random, scene: Scene) -> Asked:
    named = draw.choice(({"patient": scene.patient(draw)}, {"agent": scene.directory[0]}))
    tree = {"reason": "架空の照会", **named, "from": DAYS[0], "to": DAYS[-1]}
    return Asked.of("POST", "/audit/cases", tree, Content_Type=JSON)


def close_case(draw: Random, scene: Scene) -> Asked:
    return Asked.of("POST", f"/audit/cases/{NEVER}/close")


def preview_sharing(draw: Random, scene: Scene) -> Asked:
    looked_at = {"actor": draw.choice(scene.directory), "purpose": "TREAT", "count": draw.choice((1, 20))}
    return Asked.of("POST", "/sharing/preview", {**_edit(draw, scene), **looked_at}, Content_Type=JSON)


def sharing_changes(draw: Random, scene: Scene) -> Asked:
    return Asked.of("POST", "/sharing/changes", _edit(draw, scene), Content_Type=JSON)


def _edit(draw: Random, scene: Scene) -> Json:
    """Drafts of somebody, who may well not be the one who asks; of the third of the residents most often."""
    patient = draw.choice((*scene.people[2:3] * 4, scene.patient(draw)))
    roots = [permit(scene.directory[2]), permit(scene.directory[0], types=["Observation"]), deny()]
    chosen = draw.sample(roots, draw.choice((1, 2)))
    replaced = draw.choice(((), (), (draw.choice(scene.consents),)))
    drafts = [consent_json(root, patient) for root in chosen]
    return {"patient": patient, "drafts": drafts, "replaces": list(replaced)}


def explain_sharing(draw: Random, scene: Scene) -> Asked:
    of_record, of_access = ("record", scene.record(draw)), ("access", f"1793491200000000-{NEVER}")
    whose = draw.choice(((), (), (("patient", scene.patient(draw)),)))
    return Asked.of("GET", "/sharing/explain", None, draw.choice((of_record, of_record, of_access)), *whose)


def merge(draw: Random, scene: Scene) -> Asked:
    tree = {"survivor": scene.patient(draw), "duplicate": scene.patient(draw), "reason": "架空の理由"}
    return Asked.of("POST", "/identity/merges", tree, Content_Type=JSON)


def decide_merge(verb: str) -> Ask:
    def decide(draw: Random, scene: Scene) -> Asked:
        return Asked.of("POST", f"/identity/merges/{NEVER}/{verb}")

    return decide


def share_request(draw: Random, scene: Scene) -> Asked:
    # Of those whom both worlds know, of the one whom only the fuller one does, and of nobody.
    named = {"identifier": f"{CARD}|{draw.choice(('花子', '太郎', '無子', '無子', '誰か'))}"}
    whom = draw.choice((named, named, named, {"user_code": "ABCD-EFGH"}))
    return _json_to("/sharing/requests", asking(**whom, until=draw.choice((None, "2099-12-31"))))


def share_request_status(draw: Random, scene: Scene) -> Asked:
    return Asked.of("GET", f"/sharing/requests/{_request(draw, scene)}")


def share_answer(verb: str) -> Ask:
    """An answer to a request: by its person it counts, and from nobody else."""

    def answer(draw: Random, scene: Scene) -> Asked:
        tree = offered(draw) if verb == "grant" else None
        return _json_to(f"/sharing/requests/{_request(draw, scene)}/{verb}", tree)

    return answer


def share_code(draw: Random, scene: Scene) -> Asked:
    whom = draw.choice(({}, {"patient": scene.patient(draw)}))
    offer = draw.choice(({"kind": "request"}, {"kind": "share", **offered(draw)}))
    return _json_to("/sharing/codes", {**offer, **whom})


def share_code_end(draw: Random, scene: Scene) -> Asked:
    whom = draw.choice(((), (("patient", scene.patient(draw)),)))
    return Asked.of("DELETE", f"/sharing/codes/{NEVER}", None, *whom)


def share_redeem(draw: Random, scene: Scene) -> Asked:
    return _json_to("/sharing/redemptions", {"user_code": "ABCD-EFGH-JKMN"})


def share_grants(draw: Random, scene: Scene) -> Asked:
    whom = draw.choice(((), (("patient", scene.patient(draw)),)))
    return Asked.of("GET", "/sharing/grants", None, *whom)


def share_grant(draw: Random, scene: Scene) -> Asked:
    recipient = draw.choice((*scene.directory, f"Organization/{NEVER}"))
    beside = draw.choice(({}, {"patient": scene.patient(draw)}, {"replaces": draw.choice(scene.consents)}))
    return _json_to("/sharing/grants", {**offered(draw), "recipient": recipient, **beside})


def share_withdraw(draw: Random, scene: Scene) -> Asked:
    consents = [name.partition("/")[2] for name in (*scene.consents, *scene.hidden)]
    return _json_to(f"/sharing/grants/{draw.choice((*consents, *scene.requests[-6:], NEVER))}/withdraw", None)


def offered(draw: Random) -> Json:
    """Something to share, after the wording of now was shown."""
    wording = WORDINGS[Preset.VISIT, draw.choice(tuple(Language))]
    said = {"preset": "visit", "language": str(wording.language), "version": wording.version}
    return {**said, "hash": wording.hash, "categories": ["vital-signs"]}


def _request(draw: Random, scene: Scene) -> str:
    consents = [name.partition("/")[2] for name in scene.consents]
    return draw.choice((*scene.requests[-6:], *consents, NEVER))


def _json_to(path: str, tree: Json | None) -> Asked:
    return Asked.of("POST", path, tree, Content_Type=JSON)


def plainly(path: str) -> Ask:
    """A request of an address that takes nothing."""
    return lambda draw, scene: Asked.of("GET", path)


def _json(asked: Asked) -> Json:
    tree: Json = orjson.loads(asked.content or b"null")
    return tree
