"""The thirty residents of a town that does not exist, and how each of them is doing.

Family names are words such as 見本 (specimen) and 仮名 (alias), so that nobody is taken for a real person.
"""

from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

Gender = Literal["female", "male"]
Kind = Literal["cuff", "scale", "oximeter", "thermometer"]


@dataclass(frozen=True, slots=True)
class Health:
    """What a resident's home readings look like.

    Pressures in mmHg at the beginning, `trend` the change of the systolic pressure over ninety days,
    `morning` what a morning adds to it; `pulse` per minute, `weight` in kg, `saturation` in percent;
    `diligence` the share of sessions that are measured at all; `fever` whether a week of it is among them.
    """

    devices: tuple[Kind, ...] = ()
    systolic: int = 118
    diastolic: int = 73
    trend: int = 0
    morning: int = 3
    pulse: int = 68
    weight: float = 60.0
    weight_trend: float = 0.0
    saturation: int = 97
    diligence: float = 0.85
    fever: bool = False


@dataclass(frozen=True, slots=True)
class Resident:
    """A person of the town; `key` names them inside the demo.

    `name` and `kana` hold family and given name with a space between, kana in full-width katakana.
    `medicines` names entries of `prescriptions.MEDICINES`; `allergy` is what the medication handbook says.
    """

    gender: Gender
    key: str
    name: str
    kana: str
    born: date
    health: Health
    medicines: tuple[str, ...] = ()
    allergy: str | None = None


def _woman(
    key: str,
    name: str,
    kana: str,
    born: str,
    health: Health,
    medicines: tuple[str, ...] = (),
    allergy: str | None = None,
) -> Resident:
    return Resident("female", key, name, kana, date.fromisoformat(born), health, medicines, allergy)


def _man(
    key: str,
    name: str,
    kana: str,
    born: str,
    health: Health,
    medicines: tuple[str, ...] = (),
    allergy: str | None = None,
) -> Resident:
    return Resident("male", key, name, kana, date.fromisoformat(born), health, medicines, allergy)


CUFF: Final[tuple[Kind, ...]] = ("cuff",)
CUFF_SCALE: Final[tuple[Kind, ...]] = ("cuff", "scale")

WELL: Final = Health(CUFF)
WELL_LIGHT: Final = Health(CUFF_SCALE, 111, 68, pulse=72, weight=48.5, diligence=0.7)
ELEVATED: Final = Health(CUFF, 131, 84, morning=5, pulse=70, diligence=0.8)
IMPROVING: Final = Health(CUFF_SCALE, 153, 94, trend=-17, morning=7, pulse=66, weight=66.2, weight_trend=-2.4)
RISING: Final = Health(CUFF, 138, 87, trend=14, morning=6, pulse=77, diligence=0.75)
UNCONTROLLED: Final = Health(CUFF, 166, 101, morning=8, pulse=79, diligence=0.9)
MORNING_ONLY: Final = Health(CUFF, 126, 79, morning=19, pulse=64)
LUNGS: Final = Health(("cuff", "oximeter"), 128, 76, pulse=82, saturation=92, diligence=0.9)
HEART: Final = Health(
    ("cuff", "scale", "oximeter"),
    122,
    70,
    pulse=74,
    weight=58.4,
    weight_trend=3.1,
    saturation=95,
    diligence=0.95,
)
FEVERISH: Final = Health(("thermometer", "oximeter"), pulse=71, fever=True, diligence=0.6)
WEIGHT_ONLY: Final = Health(("scale",), weight=83.0, weight_trend=-5.0, diligence=0.8)
NO_DEVICE: Final = Health()

AMLODIPINE: Final = ("amlodipine",)
PRESSURE: Final = ("amlodipine", "olmesartan")
PRESSURE_LIPIDS: Final = ("amlodipine", "olmesartan", "atorvastatin")
DIABETES: Final = ("metformin", "atorvastatin")
COLD: Final = ("acetaminophen", "carbocisteine")
JOINTS: Final = ("ketoprofen-tape", "rebamipide")
STOMACH: Final = ("lansoprazole",)

RESIDENTS: Final = (
    # The resident of the persona file, and the resident of the story: both with readings, medicines, allergy.
    _woman(
        "hanako", "見本 花子", "ミホン ハナコ", "1955-03-03", IMPROVING, PRESSURE_LIPIDS, "ペニシリン系抗菌薬"
    ),
    _man("taro", "仮名 太郎", "カメイ タロウ", "1958-04-12", HEART, PRESSURE, "ヨード造影剤"),
    _woman("sakura", "例示 さくら", "レイジ サクラ", "1949-04-01", MORNING_ONLY, AMLODIPINE),
    _man("ichiro", "架空 一郎", "カクウ イチロウ", "1962-08-20", UNCONTROLLED, PRESSURE_LIPIDS),
    _woman("midori", "雛形 みどり", "ヒナガタ ミドリ", "1971-05-04", FEVERISH, COLD, "卵"),
    _man("kenta", "想定 健太", "ソウテイ ケンタ", "1980-10-09", WEIGHT_ONLY, DIABETES),
    _woman("haruko", "見本 春子", "ミホン ハルコ", "1944-02-28", LUNGS, COLD),
    _man("jiro", "見本 次郎", "ミホン ジロウ", "1953-11-11", WELL, STOMACH),
    _woman("natsumi", "仮名 夏美", "カメイ ナツミ", "1966-07-07", ELEVATED),
    _man("saburo", "例示 三郎", "レイジ サブロウ", "1947-09-15", RISING, AMLODIPINE),
    _woman("akiko", "架空 秋子", "カクウ アキコ", "1959-10-30", IMPROVING, PRESSURE),
    _man("shiro", "雛形 四郎", "ヒナガタ シロウ", "1951-01-24", HEART, PRESSURE_LIPIDS, "アスピリン"),
    _woman("fuyumi", "想定 冬美", "ソウテイ フユミ", "1988-12-22", WELL_LIGHT),
    _man("goro", "試作 五郎", "シサク ゴロウ", "1964-06-16", UNCONTROLLED, PRESSURE),
    _woman("tsukiko", "試作 月子", "シサク ツキコ", "1956-09-21", ELEVATED, AMLODIPINE),
    _man("rokuro", "模擬 六郎", "モギ ロクロウ", "1969-03-18", WELL),
    _woman("hoshino", "模擬 星乃", "モギ ホシノ", "1993-07-07", WELL_LIGHT),
    _man("nanao", "例題 七生", "レイダイ ナナオ", "1976-07-17", WEIGHT_ONLY),
    _woman("yukino", "例題 雪乃", "レイダイ ユキノ", "1948-01-08", LUNGS, AMLODIPINE, "セフェム系抗菌薬"),
    _man("hachiro", "書式 八郎", "ショシキ ハチロウ", "1941-08-08", MORNING_ONLY, PRESSURE),
    _woman("kotone", "書式 琴音", "ショシキ コトネ", "1983-05-25", WELL),
    _man("kuro", "見立 九郎", "ミタテ クロウ", "1957-09-09", RISING, DIABETES),
    _woman("asahi", "見立 朝日", "ミタテ アサヒ", "1961-01-01", ELEVATED, JOINTS),
    _man("juro", "仮想 十郎", "カソウ ジュウロウ", "1950-10-10", IMPROVING, PRESSURE_LIPIDS),
    _woman("yuhi", "仮想 夕陽", "カソウ ユウヒ", "1967-06-21", WELL, STOMACH),
    _man("minoru", "寓話 実", "グウワ ミノル", "1946-11-23", NO_DEVICE, JOINTS),
    _woman("izumi", "寓話 泉", "グウワ イズミ", "1974-04-29", ELEVATED),
    _man("wataru", "挿話 渡", "ソウワ ワタル", "1985-03-14", WEIGHT_ONLY),
    _woman("kaoru", "挿話 薫", "ソウワ カオル", "1952-12-12", UNCONTROLLED, AMLODIPINE),
    _woman("chiyo", "例文 千代", "レイブン チヨ", "1938-05-05", NO_DEVICE, AMLODIPINE, "そば"),
)
