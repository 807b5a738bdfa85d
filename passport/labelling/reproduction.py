"""Sexuality and reproductive health: pregnancy and its end, contraception, fertility, sexually transmitted infections.

https://terminology.hl7.org/CodeSystem-v3-ActCode.html#v3-ActCode-SEX

Hormones are left out where contraception is one of several uses and the code does not say which.
"""

from typing import Final

from passport.labelling.model import ATC_CLASSES, ICD_10, LOINC_CODES, PRICED, SNOMED_CONCEPTS, ValueSet

_DIAGNOSES: Final = {
    "A5": "infections that are transmitted sexually: syphilis, gonorrhoea, chlamydia, trichomoniasis",
    "A60": "anogenital herpes",
    "A63": "other infections that are transmitted sexually",
    "A64": "infection that is transmitted sexually, unspecified",
    "F52": "sexual dysfunction",
    "F64": "gender identity",
    "F65": "sexual preference",
    "F66": "sexual development and orientation",
    "N46": "male infertility",
    "N48.4": "impotence of organic origin",
    "N97": "female infertility",
    "N98": "complications of artificial fertilization",
    "O": "pregnancy, childbirth and the puerperium",
    "Z11.3": "screening for infections that are transmitted sexually",
    "Z20.2": "contact with an infection that is transmitted sexually",
    "Z22.4": "carrier of an infection that is transmitted sexually",
    "Z30": "contraceptive management",
    "Z31": "procreative management",
    "Z32": "pregnancy test",
    "Z33": "pregnant",
    "Z34": "supervision of a pregnancy",
    "Z35": "supervision of a pregnancy at risk",
    "Z36": "antenatal screening",
    "Z37": "outcome of a delivery",
    "Z39": "care after a delivery",
    "Z64.0": "unwanted pregnancy",
    "Z70": "counselling about sexual matters",
    "Z72.5": "sexual behaviour at risk",
    "Z97.5": "intrauterine contraceptive device",
}
_MEDICINES: Final = {
    "G02AD": "prostaglandins that end a pregnancy or begin a birth",
    "G02BA": "intrauterine contraceptives",
    "G02BB": "intravaginal contraceptives",
    "G03A": "hormonal contraceptives",
    "G03G": "gonadotropins and other medicines that stimulate ovulation",
    "G03XB01": "mifepristone",
    "G03XB51": "mifepristone, combined",
    "G04BE": "medicines against erectile dysfunction",
}
_PRICED: Final = {
    "254": "避妊剤 contraceptives",
}
_TESTS: Final = {
    "2106-3": "pregnancy test in urine",
    "2118-8": "pregnancy test in serum or plasma",
    "5292-8": "syphilis, VDRL",
    "8665-2": "first day of the last menstrual period",
    "11449-6": "pregnancy status as told",
    "11778-8": "estimated day of delivery",
    "11996-6": "number of pregnancies",
    "19080-1": "choriogonadotropin in serum or plasma",
    "20507-0": "syphilis, RPR, presence",
    "20508-8": "syphilis, RPR, titer",
    "21198-7": "choriogonadotropin, beta subunit",
    "21613-5": "Chlamydia trachomatis DNA",
    "24110-9": "syphilis, treponemal antibodies",
    "24111-7": "Neisseria gonorrhoeae DNA",
    "43304-5": "Chlamydia trachomatis rRNA",
    "43305-2": "Neisseria gonorrhoeae rRNA",
    "47236-5": "syphilis, treponemal IgG and IgM",
    "76690-7": "sexual orientation",
    "76691-5": "gender identity",
    "82810-3": "pregnancy status",
}
_CONCEPTS: Final = {
    "8098009": "infection that is transmitted sexually",
    "15628003": "gonorrhoea",
    "76272004": "syphilis",
    "77386006": "pregnant",
}

REPRODUCTION: Final = ValueSet(
    "SEX",
    "sexuality and reproductive health",
    {
        ICD_10: _DIAGNOSES,
        ATC_CLASSES: _MEDICINES,
        PRICED: _PRICED,
        LOINC_CODES: _TESTS,
        SNOMED_CONCEPTS: _CONCEPTS,
    },
)
