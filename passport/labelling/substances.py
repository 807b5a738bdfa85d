"""Substance use: disorders due to alcohol and drugs, what they did to the body, medicines against them, tests.

https://terminology.hl7.org/CodeSystem-v3-ActCode.html#v3-ActCode-ETH

Tobacco is none of it, as in the value sets of IHE's Privacy Consent on FHIR (https://profiles.ihe.net/ITI/PCF/).
"""

from typing import Final

from passport.labelling.model import ATC_CLASSES, ICD_10, LOINC_CODES, PRICED, SNOMED_CONCEPTS, ValueSet

_DIAGNOSES: Final = {
    "E24.4": "pseudo-Cushing syndrome by alcohol",
    "F10": "disorders due to alcohol",
    "F11": "disorders due to opioids",
    "F12": "disorders due to cannabinoids",
    "F13": "disorders due to sedatives or hypnotics",
    "F14": "disorders due to cocaine",
    "F15": "disorders due to other stimulants",
    "F16": "disorders due to hallucinogens",
    "F18": "disorders due to volatile solvents",
    "F19": "disorders due to several or other substances",
    "G31.2": "degeneration of the nervous system by alcohol",
    "G62.1": "polyneuropathy by alcohol",
    "G72.1": "myopathy by alcohol",
    "I42.6": "cardiomyopathy by alcohol",
    "K29.2": "gastritis by alcohol",
    "K70": "liver disease by alcohol",
    "K85.2": "acute pancreatitis by alcohol",
    "K86.0": "chronic pancreatitis by alcohol",
    "O35.4": "damage to a fetus by alcohol",
    "O35.5": "damage to a fetus by drugs",
    "P96.1": "withdrawal of a newborn from a mother's drugs",
    "Q86.0": "fetal alcohol syndrome",
    "R78.0": "alcohol in the blood",
    "R78.1": "opiates in the blood",
    "R78.2": "cocaine in the blood",
    "R78.3": "hallucinogens in the blood",
    "R78.4": "other drugs of dependence in the blood",
    "T40": "poisoning by narcotics and hallucinogens",
    "T51.0": "toxic effect of ethanol",
    "X45": "accidental poisoning by alcohol",
    "X65": "self-poisoning by alcohol",
    "Y90": "alcohol involved, by its level in the blood",
    "Y91": "alcohol involved, by the level of intoxication",
    "Z50.2": "rehabilitation after alcohol",
    "Z50.3": "rehabilitation after drugs",
    "Z71.4": "counselling about alcohol",
    "Z71.5": "counselling about drugs",
    "Z72.1": "use of alcohol",
    "Z72.2": "use of drugs",
    "Z81.1": "alcohol in the family",
    "Z81.3": "other psychoactive substances in the family",
    "Z86.4": "history of psychoactive substances",
}
_MEDICINES: Final = {
    "N07BB": "medicines against dependence on alcohol",
    "N07BC": "medicines against dependence on opioids",
}
_PRICED: Final = {
    "1190022": "アカンプロサート acamprosate",
    "1190025": "ナルメフェン nalmefene",
    "393": "習慣性中毒用剤 medicines against dependence: disulfiram, cyanamide",
}
_TESTS: Final = {
    "3397-7": "cocaine in urine",
    "3426-4": "tetrahydrocannabinol in urine",
    "3879-4": "opiates in urine",
    "5640-8": "ethanol in blood",
    "5643-2": "ethanol in serum or plasma",
    "11331-6": "history of alcohol use",
    "74013-4": "alcoholic drinks per day",
    "75626-2": "AUDIT-C, alcohol, the score",
    "82667-7": "DAST-10, drugs, the score",
}
_CONCEPTS: Final = {
    "7200002": "alcoholism",
    "15167005": "alcohol abuse",
    "26416006": "drug abuse",
    "66214007": "substance abuse",
    "191816009": "drug dependence",
}

SUBSTANCES: Final = ValueSet(
    "ETH",
    "substance use",
    {
        ICD_10: _DIAGNOSES,
        ATC_CLASSES: _MEDICINES,
        PRICED: _PRICED,
        LOINC_CODES: _TESTS,
        SNOMED_CONCEPTS: _CONCEPTS,
    },
)
