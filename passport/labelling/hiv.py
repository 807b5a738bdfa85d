"""HIV and AIDS: diagnoses, antiretroviral medicines, tests.

https://terminology.hl7.org/CodeSystem-v3-ActCode.html#v3-ActCode-HIV

Medicines that treat something else as often are left out: entecavir and tenofovir alafenamide alone (hepatitis B),
and nirmatrelvir with ritonavir (COVID-19).
"""

from typing import Final

from passport.labelling.model import ATC_CLASSES, ICD_10, LOINC_CODES, PRICED, SNOMED_CONCEPTS, ValueSet

_DIAGNOSES: Final = {
    "B20": "HIV disease with infections",
    "B21": "HIV disease with neoplasms",
    "B22": "HIV disease with other specified diseases",
    "B23": "HIV disease with other conditions",
    "B24": "HIV disease, unspecified",
    "F02.4": "dementia in HIV disease",
    "O98.7": "HIV disease in pregnancy",
    "R75": "laboratory evidence of HIV",
    "Z11.4": "screening for HIV",
    "Z20.6": "contact with HIV",
    "Z21": "HIV infection without symptoms",
    "Z71.7": "counselling about HIV",
    "Z83.0": "HIV disease in the family",
}
_MEDICINES: Final = {
    "J05AE0": "protease inhibitors, 01 to 09: of HIV",
    "J05AE10": "darunavir",
    "J05AF01": "zidovudine",
    "J05AF02": "didanosine",
    "J05AF03": "zalcitabine",
    "J05AF04": "stavudine",
    "J05AF05": "lamivudine, of HIV in most",
    "J05AF06": "abacavir",
    "J05AF07": "tenofovir disoproxil, of HIV in most",
    "J05AF09": "emtricitabine",
    "J05AG": "non-nucleoside inhibitors of reverse transcriptase: all of HIV",
    "J05AJ": "integrase inhibitors: all of HIV",
    "J05AR": "combinations against HIV",
    "J05AX07": "enfuvirtide",
    "J05AX08": "raltegravir, under its earlier code",
    "J05AX09": "maraviroc",
    "J05AX23": "ibalizumab",
    "J05AX29": "fostemsavir",
    "J05AX31": "lenacapavir",
}
_PRICED: Final = {
    "6250001": "ジドブジン zidovudine",
    "6250006": "ラミブジン lamivudine, the strength for HIV",
    "6250011": "リトナビル ritonavir",
    "6250013": "ネビラピン nevirapine",
    "6250014": "アバカビル abacavir",
    "6250024F1021": "テノホビル ジソプロキシル, the brand for HIV; the same ingredient has one for hepatitis B",
    "6250030": "ダルナビル darunavir",
    "6250032": "ラルテグラビル raltegravir",
    "6250034": "マラビロク maraviroc",
    "6250036": "リルピビリン rilpivirine",
    "6250038": "ドルテグラビル dolutegravir",
    "6250049": "ドラビリン doravirine",
    "6250050": "カボテグラビル cabotegravir",
    "6250053": "レナカパビル lenacapavir",
    "6250100": "ジドブジン・ラミブジン",
    "6250101": "ロピナビル・リトナビル",
    "6250102": "ラミブジン・アバカビル",
    "6250103": "エムトリシタビン・テノホビル ジソプロキシル",
    "6250106": "ドルテグラビル・アバカビル・ラミブジン",
    "6250109": "エルビテグラビル・コビシスタット・エムトリシタビン・テノホビル アラフェナミド",
    "6250110": "ダルナビル・コビシスタット",
    "6250111": "エムトリシタビン・テノホビル アラフェナミド",
    "6250114": "リルピビリン・エムトリシタビン・テノホビル アラフェナミド",
    "6250115": "ドルテグラビル・リルピビリン",
    "6250117": "ビクテグラビル・エムトリシタビン・テノホビル アラフェナミド",
    "6250118": "ダルナビル・コビシスタット・エムトリシタビン・テノホビル アラフェナミド",
    "6250119": "ドルテグラビル・ラミブジン",
}
_TESTS: Final = {
    "5221-7": "HIV 1 antibodies, immunoblot",
    "7918-6": "HIV 1 and 2 antibodies",
    "9836-8": "HIV proviral DNA",
    "20447-9": "HIV 1 RNA, viral load",
    "24012-7": "HIV 1 antigen",
    "25835-0": "HIV 1 RNA, presence",
    "25836-8": "HIV 1 RNA, viral load",
    "25842-6": "HIV 2 proviral DNA",
    "29541-0": "HIV 1 RNA, logarithm of the viral load",
    "29893-5": "HIV 1 antibodies, immunoassay",
    "30361-0": "HIV 2 antibodies, immunoassay",
    "31201-7": "HIV 1 and 2 antibodies, immunoassay",
    "48345-3": "HIV 1, O and 2 antibodies",
    "55277-8": "HIV status",
    "56888-1": "HIV 1 and 2 antibodies with p24 antigen",
    "68961-2": "HIV 1 and 2 antibodies, rapid test",
    "75622-1": "HIV 1 and 2 tests",
    "80203-3": "HIV 1 and 2 antibodies, which, rapid test",
    "89365-1": "HIV 1 and 2 antibodies, panel",
}
_CONCEPTS: Final = {
    "62479008": "AIDS",
    "86406008": "HIV infection",
    "91947003": "HIV infection without symptoms",
    "165816005": "positive for HIV",
}

HIV: Final = ValueSet(
    "HIV",
    "HIV and AIDS",
    {
        ICD_10: _DIAGNOSES,
        ATC_CLASSES: _MEDICINES,
        PRICED: _PRICED,
        LOINC_CODES: _TESTS,
        SNOMED_CONCEPTS: _CONCEPTS,
    },
)
