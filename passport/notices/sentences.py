"""What a resident may be told: the kinds of notifications, and one sentence for each in both languages.

http://hl7.org/fhir/R4/communication.html
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal[
    "access-requested",
    "access-request-taken-back",
    "access-granted",
    "access-withdrawn",
    "access-declined",
    "share-code-redeemed",
    "emergency-opened",
    "emergency-justified",
    "emergency-not-justified",
    "guardian-began",
    "guardian-stays-longer",
    "guardian-ended",
    "guardianship-ended",
    "came-of-age",
    "paper-consent-recorded",
    "paper-withdrawal-recorded",
    "sign-in-code-issued",
    "sign-in-code-proposed",
    "sign-in-code-withdrawn",
    "sign-in-linked",
    "registration-changed",
    "passkey-registered",
    "passkey-removed",
    "passkey-doubted",
    "recovery-code-issued",
    "recovery-code-used",
    "app-allowed",
    "app-token-reused",
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
    "audit-case-opened",
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
    "access-request-taken-back": Sentence(
        "あなたの記録の閲覧を求める申し込みが、相手から取り下げられました。お返事はいりません。",
        "Whoever asked to see records of yours took the request back. There is nothing to answer.",
    ),
    "access-granted": Sentence(
        "記録の共有を始めました。いつでもやめることができます。",
        "You started sharing records. You can stop at any time.",
    ),
    "access-withdrawn": Sentence("記録の共有をやめました。", "You stopped sharing records."),
    "access-declined": Sentence(
        "記録の閲覧を求める申し込みを断りました。相手には何も見えません。",
        "You declined a request for records of yours. Nobody sees anything by it.",
    ),
    "share-code-redeemed": Sentence(
        "あなたの共有コードが使われ、記録の共有が始まりました。心当たりがなければ、すぐに共有をやめてください。",
        "Your share code was used, and sharing began. If you know nothing of it, stop sharing at once.",
    ),
    "emergency-opened": Sentence(
        "救急の場で、医療者があなたの記録を開きました。理由は後で確認されます。",
        "In an emergency a clinician opened your records. The reason will be reviewed.",
    ),
    "emergency-justified": Sentence(
        "救急で記録が開かれた件を監査担当者が確かめました。正当な理由があったと判断されました。",
        "An auditor reviewed the emergency in which your records were opened, and found it justified.",
    ),
    "emergency-not-justified": Sentence(
        "救急で記録が開かれた件を監査担当者が確かめました。正当な理由がなかったと判断されました。市の窓口に問い合わせることができます。",
        "An auditor reviewed the emergency in which your records were opened, and found it not justified. "
        "You can ask the city desk about it.",
    ),
    "sign-in-code-issued": Sentence(
        "あなた、またはあなたの代理の方のサインインコードが発行されました。心当たりがなければ市の窓口に知らせてください。",
        "A sign-in code was issued for you or for someone who acts for you. If you know nothing of it, "
        "tell the city desk.",
    ),
    "sign-in-code-proposed": Sentence(
        "あなた、またはあなたの代理の方に新しいサインインコードを出すことが市の担当者から求められました。別の担当者が確かめるまで、"
        "そのコードは使えません。心当たりがなければ市の窓口に知らせてください。",
        "An operator of the city asked for a new sign-in code for you or for someone who acts for you. It is good for "
        "nothing until another operator has confirmed it. If you know nothing of it, tell the city desk.",
    ),
    "sign-in-code-withdrawn": Sentence(
        "あなた、またはあなたの代理の方のサインインコードが取り消され、パスキーとサインイン中の機器も終わりました。"
        "心当たりがなければ市の窓口に知らせてください。",
        "A sign-in code of yours, or of someone who acts for you, was taken back, and passkeys and sign-ins ended "
        "with it. If you know nothing of it, tell the city desk.",
    ),
    "registration-changed": Sentence(
        "市の窓口で、あなたが申し出たとおりに登録の内容が変更されました。心当たりがなければ市の窓口に知らせてください。",
        "At the city desk your registration was changed to what you had said. If you know nothing of it, tell the "
        "city desk.",
    ),
    "sign-in-linked": Sentence(
        "外部のサインイン（デジタル認証アプリなど）が、あなた、またはあなたの代理の方に結び付けられました。"
        "心当たりがなければ市の窓口に知らせてください。",
        "An account elsewhere now signs in you or someone who acts for you. If you know nothing of it, tell the city "
        "desk.",
    ),
    "passkey-registered": Sentence(
        "あなた、またはあなたの代理の方のパスキーが登録されました。心当たりがなければ市の窓口に知らせてください。",
        "A passkey was registered for you or for someone who acts for you. If you know nothing of it, "
        "tell the city desk.",
    ),
    "passkey-removed": Sentence(
        "あなた、またはあなたの代理の方のパスキーが削除されました。そのパスキーで始めたサインインと、そこで許可したアプリも終わりました。",
        "A passkey of yours, or of someone who acts for you, was removed. Sign-ins that began by it, and apps that "
        "were allowed in them, ended with it.",
    ),
    "passkey-doubted": Sentence(
        "あなた、またはあなたの代理の方のパスキーが複製された疑いがあり、使えないようにしました。それで許可したアプリも止めました。"
        "別の方法でサインインして削除し、新しいパスキーを登録してください。",
        "There may be a copy of a passkey of yours, or of someone who acts for you: it signs in no more, and apps "
        "that were allowed by it ended. Sign in otherwise, remove it, and register another one.",
    ),
    "recovery-code-issued": Sentence(
        "市の窓口で、パスキーを登録し直すためのコードが発行されました。心当たりがなければ市の窓口に知らせてください。",
        "The city desk printed a code by which a new passkey can be registered. If you know nothing of it, "
        "tell the city desk.",
    ),
    "recovery-code-used": Sentence(
        "市の窓口のコードが使われ、パスキーの登録し直しが始まりました。心当たりがなければ市の窓口に知らせてください。",
        "The code of the city desk was used to register a new passkey. If you know nothing of it, tell the city desk.",
    ),
    "app-allowed": Sentence(
        "アプリがあなたの記録を使うことが許可されました。心当たりがなければ、「サインイン中の機器とアプリ」で終わらせてください。",
        "An app was allowed to use records of yours. If you know nothing of it, end it where you see what is "
        "signed in.",
    ),
    "app-token-reused": Sentence(
        "アプリの鍵が二度使われたため、そのアプリの利用を止めました。だれかが写し取ったのかもしれません。必要なら許可し直してください。",
        "An app was stopped because a key of it came twice: somebody may have copied it. Allow the app again if you "
        "need it.",
    ),
    "guardian-began": Sentence(
        "市の窓口で、あなたの保護者が代理人として登録されました。18歳になると自動的に終わります。",
        "At the city desk a guardian was registered to act for you. It ends by itself when you are 18.",
    ),
    "guardian-stays-longer": Sentence(
        "登録の生年月日が直され、保護者の代理の終わりが後になりました。誤りであれば市の窓口に知らせてください。",
        "Your birth date was corrected, and your guardian acts for you longer by it. If this is an error, tell the "
        "city desk.",
    ),
    "guardian-ended": Sentence(
        "市の窓口で、あなたの保護者の代理が終わりました。",
        "At the city desk it was ended that a guardian acts for you.",
    ),
    "guardianship-ended": Sentence(
        "お子さまが18歳になりました。あなたはお子さまの記録を見ることができなくなりました。",
        "The child for whom you acted is 18. You can see their records no more.",
    ),
    "came-of-age": Sentence(
        "18歳になりました。保護者はあなたの記録を見ることができなくなりました。保護者が始めた共有は続いています。"
        "確かめて、やめることができます。サインインコードは市の窓口で受け取れます。",
        "You are 18. Your guardian can see your records no more. What they shared with others goes on: check it, "
        "and stop it where you want. The city desk gives you a sign-in code of your own.",
    ),
    "paper-consent-recorded": Sentence(
        "市の窓口で、紙の同意書による共有が登録されました。心当たりがなければ市の窓口に知らせてください。",
        "At the city desk a consent on paper was recorded for you. If you know nothing of it, tell the city desk.",
    ),
    "paper-withdrawal-recorded": Sentence(
        "市の窓口で、紙の書面による共有の取りやめが登録されました。",
        "At the city desk it was recorded that you stop sharing, as you wrote on paper.",
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
    "audit-case-opened": Sentence(
        "監査担当者が、理由を記したうえで、あなたのパスポートへのアクセスの履歴を調べています。理由は履歴の画面で読めます。",
        "An auditor, who gave a reason, looks into the accesses to your passport. You can read the reason with them.",
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
