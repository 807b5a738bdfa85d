"""Devices: the code that one shows, and the approval without which nothing that it measures is taken.

https://www.rfc-editor.org/rfc/rfc8628
"""

import httpx
from playwright.sync_api import expect

from tests.browser.people import CUFF, DEVICE_GRANT, Village
from tests.browser.watching import Watched
from tests.http.device_town import SERIAL


def test_a_person_approves_stops_and_revokes_a_cuff(person: Watched, town: Village) -> None:
    patient = town.resident()
    cuff = town.cuff(patient)
    person.open("/home/devices")
    person.sign_in(town.code(patient))
    person.heading("機器")
    card = person.page.get_by_role("listitem").filter(has_text=CUFF)
    expect(card).to_contain_text("承認待ち")
    expect(card).to_contain_text(SERIAL)
    person.accessible()
    for verb, told, status in (
        ("承認する", "承認しました。", "active"),
        ("いったん止める", "止めました。", "suspended"),
        ("再開する", "再開しました。", "active"),
    ):
        card.get_by_role("button", name=verb).click()
        expect(person.page.get_by_role("status")).to_have_text(told)
        assert town.devices(patient) == {cuff: status}
    card.get_by_role("button", name="取り消す").click()
    dialog = person.page.get_by_role("dialog")
    expect(dialog).to_contain_text("元に戻せません")
    person.accessible()
    dialog.get_by_role("button", name="戻る").click()
    assert town.devices(patient) == {cuff: "active"}
    card.get_by_role("button", name="取り消す").click()
    dialog.get_by_role("button", name="取り消す").click()
    expect(card).to_contain_text("取り消し済み")
    assert town.devices(patient) == {cuff: "revoked"}
    expect(card.get_by_role("button")).to_have_count(0)


def test_what_was_revoked_stands_after_what_is_in_use(person: Watched, town: Village) -> None:
    patient = town.resident()
    town.cuff(patient)
    first = town.cuff(patient)
    town.call((patient, "PATRQT"), "POST", f"/devices/{first.removeprefix('Device/')}/revoke", 200, json={})
    person.open("/home/devices")
    person.sign_in(town.code(patient))
    badges = person.page.get_by_role("listitem").locator(".badge")
    expect(badges).to_have_text(["承認待ち", "取り消し済み"])


def test_a_cuff_that_shows_a_qr_code_is_added_and_approved(person: Watched, town: Village) -> None:
    patient, claim = town.resident(), town.claimed()
    person.open(claim["qr"].removeprefix(town.served.base_url))
    person.sign_in(town.code(patient))
    person.heading("機器")
    expect(person.page.get_by_label("機器のコード")).to_have_value(claim["code"])
    assert "#" not in person.page.url
    assert town.devices(patient) == {}
    person.accessible()
    person.press("この機器を加える")
    expect(person.page.get_by_role("status")).to_contain_text(f"製造番号 {SERIAL} の機器を加えました。")
    card = person.page.get_by_role("listitem").filter(has_text=CUFF)
    expect(card).to_contain_text("承認待ち")
    expect(card).to_contain_text(SERIAL)
    person.accessible()
    card.get_by_role("button", name="承認する").click()
    expect(person.page.get_by_role("status")).to_have_text("承認しました。")
    assert list(town.devices(patient).values()) == ["active"]


def test_a_code_that_is_typed_adds_a_device_and_another_one_is_told(person: Watched, town: Village) -> None:
    patient, claim = town.resident(), town.claimed()
    person.open("/home/devices")
    person.sign_in(town.code(patient))
    person.heading("機器")
    person.press("English")
    code = person.page.get_by_label("Code of a device")
    code.fill("AAAA-AAAA")
    person.press("Add this device")
    expect(person.page.get_by_role("alert")).to_contain_text("No device can be added by this code.")
    expect(person.page.get_by_role("alert")).to_be_in_viewport()
    expect(person.page.get_by_role("alert")).to_be_focused()
    person.accessible()
    code.fill(claim["code"].lower())
    person.press("Add this device")
    expect(person.page.get_by_role("status")).to_contain_text(f"serial number {SERIAL} was added")
    assert list(town.devices(patient).values()) == ["pending"]
    expect(code).to_have_value("")


def test_a_clinician_is_told_that_devices_are_residents(person: Watched, town: Village) -> None:
    person.open("/home/devices")
    person.sign_in(town.code(town.physician(), "TREAT"))
    person.heading("機器")
    expect(person.page.get_by_role("main")).to_contain_text("機器は住民の方のものです。")
    expect(person.page.get_by_role("textbox")).to_have_count(0)
    expect(person.page.get_by_role("alert")).to_have_count(0)


def test_a_device_that_shows_a_code_is_allowed(person: Watched, town: Village) -> None:
    client_id = town.client(name="星見ハブ（架空）", redirect_uris=[], grant_types=[DEVICE_GRANT])
    base_url = town.served.base_url
    asked = {"client_id": client_id, "scope": "patient/Observation.cu"}
    codes = httpx.post(f"{base_url}/auth/device", data=asked).json()
    person.open("/device")
    person.heading("サインイン")
    person.sign_in(town.code(town.resident()))
    person.heading("機器のコード")
    person.page.get_by_label("機器のコード").fill("AAAA-AAAA")
    person.press("次へ")
    expect(person.page.get_by_role("alert")).to_contain_text(
        "このコードでサインインを待っている機器は見つかりません。"
    )
    person.accessible()
    person.page.get_by_label("機器のコード").fill(codes["user_code"].lower())
    person.press("次へ")
    person.heading("「星見ハブ（架空）」があなたの記録を使う許可を求めています")
    person.accessible()
    person.press("許可する")
    expect(person.page.get_by_role("status")).to_have_text("許可しました。機器に戻ってください。")
    form = {"grant_type": DEVICE_GRANT, "device_code": codes["device_code"], "client_id": client_id}
    assert "access_token" in httpx.post(f"{base_url}/auth/token", data=form).json()
