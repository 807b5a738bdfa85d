"""Psychiatry: mental and behavioural disorders, the medicines of their classes, scores.

https://terminology.hl7.org/CodeSystem-v3-ActCode.html#v3-ActCode-PSY

The whole chapter of the classification but the disorders due to psychoactive substances, which are a set of
their own; and whole classes of medicines, sleep and dementia included: a class is what the code itself says.
"""

from typing import Final

from passport.labelling.model import ATC_CLASSES, ICD_10, LOINC_CODES, PRICED, SNOMED_CONCEPTS, ValueSet

_DIAGNOSES: Final = {
    "F0": "organic mental disorders",
    "F2": "schizophrenia and delusional disorders",
    "F3": "mood disorders",
    "F4": "neurotic, stress-related and somatoform disorders",
    "F5": "behavioural syndromes with physiological disturbances",
    "F6": "disorders of adult personality and behaviour",
    "F7": "intellectual disability",
    "F8": "disorders of psychological development",
    "F9": "disorders that begin in childhood, and unspecified ones",
    "X6": "intentional self-harm, by poisoning",
    "X7": "intentional self-harm, by other means",
    "X80": "intentional self-harm, by a fall",
    "X81": "intentional self-harm, by a moving object",
    "X82": "intentional self-harm, by a motor vehicle",
    "X83": "intentional self-harm, by other specified means",
    "X84": "intentional self-harm, unspecified",
    "Y87.0": "sequelae of intentional self-harm",
    "Z04.6": "psychiatric examination on request of an authority",
    "Z13.3": "screening for mental disorders",
    "Z81.8": "mental disorders in the family",
    "Z86.5": "history of mental disorders",
    "Z91.5": "history of self-harm",
}
_MEDICINES: Final = {
    "N05": "psycholeptics: antipsychotics, anxiolytics, hypnotics",
    "N06": "psychoanaleptics: antidepressants, psychostimulants, medicines against dementia",
}
_PRICED: Final = {
    "112": "催眠鎮静剤，抗不安剤 hypnotics, sedatives, anxiolytics",
    "117": "精神神経用剤 psychotropics",
    "1190012": "ドネペジル donepezil",
    "1190016": "ラメルテオン ramelteon",
    "1190018": "メマンチン memantine",
    "1190019": "ガランタミン galantamine",
    "1190023": "スボレキサント suvorexant",
}
_SCORES: Final = {
    "34788-0": "psychiatry consultation note",
    "44249-1": "PHQ-9, depression, the questionnaire",
    "44261-6": "PHQ-9, depression, the score",
    "55758-7": "PHQ-2, depression, the score",
    "69737-5": "GAD-7, anxiety, the questionnaire",
    "70274-6": "GAD-7, anxiety, the score",
    "71354-5": "Edinburgh Postnatal Depression Scale",
}
_CONCEPTS: Final = {
    "13746004": "bipolar disorder",
    "35489007": "depressive disorder",
    "58214004": "schizophrenia",
    "69322001": "psychotic disorder",
    "74732009": "mental disorder",
    "370143000": "major depressive disorder",
}

PSYCHIATRY: Final = ValueSet(
    "PSY",
    "psychiatry",
    {
        ICD_10: _DIAGNOSES,
        ATC_CLASSES: _MEDICINES,
        PRICED: _PRICED,
        LOINC_CODES: _SCORES,
        SNOMED_CONCEPTS: _CONCEPTS,
    },
)
