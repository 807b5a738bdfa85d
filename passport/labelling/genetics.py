"""Genetics: hereditary and chromosomal disorders, medicines that treat nothing else, genetic tests.

https://terminology.hl7.org/CodeSystem-v3-ActCode.html#v3-ActCode-GDIS
"""

from typing import Final

from passport.labelling.model import ATC_CLASSES, ICD_10, LOINC_CODES, PRICED, SNOMED_CONCEPTS, ValueSet

_DIAGNOSES: Final = {
    "D56": "thalassaemia",
    "D57": "sickle-cell disorders",
    "D58": "other hereditary haemolytic anaemias",
    "D66": "hereditary deficiency of factor VIII",
    "D67": "hereditary deficiency of factor IX",
    "D68.0": "von Willebrand disease",
    "D68.1": "hereditary deficiency of factor XI",
    "D68.2": "hereditary deficiency of other clotting factors",
    "E70": "disorders of aromatic amino-acid metabolism",
    "E71": "disorders of branched-chain amino-acid and fatty-acid metabolism",
    "E72": "other disorders of amino-acid metabolism",
    "E74": "other disorders of carbohydrate metabolism",
    "E75": "disorders of sphingolipid metabolism",
    "E76": "disorders of glycosaminoglycan metabolism",
    "E77": "disorders of glycoprotein metabolism",
    "E79.1": "Lesch-Nyhan syndrome",
    "E80.0": "hereditary erythropoietic porphyria",
    "E80.2": "other porphyria",
    "E83.0": "disorders of copper metabolism: Wilson",
    "E84": "cystic fibrosis",
    "E85.0": "non-neuropathic heredofamilial amyloidosis",
    "E85.1": "neuropathic heredofamilial amyloidosis",
    "G10": "Huntington disease",
    "G11": "hereditary ataxia",
    "G12.0": "infantile spinal muscular atrophy",
    "G12.1": "other inherited spinal muscular atrophy",
    "G60.0": "hereditary motor and sensory neuropathy",
    "G71.0": "muscular dystrophy",
    "G71.1": "myotonic disorders",
    "G71.2": "congenital myopathies",
    "Q61.1": "polycystic kidney, autosomal recessive",
    "Q61.2": "polycystic kidney, autosomal dominant",
    "Q61.3": "polycystic kidney, unspecified",
    "Q78.0": "osteogenesis imperfecta",
    "Q79.6": "Ehlers-Danlos syndrome",
    "Q85.0": "neurofibromatosis",
    "Q85.1": "tuberous sclerosis",
    "Q87.4": "Marfan syndrome",
    "Q9": "chromosomal abnormalities",
    "Z13.7": "screening for chromosomal abnormalities",
    "Z31.5": "genetic counselling",
    "Z36.0": "antenatal screening for chromosomal anomalies",
    "Z82.7": "chromosomal abnormalities in the family",
}
_MEDICINES: Final = {
    "A16AB": "enzymes for inborn errors of metabolism",
    "A16AX04": "nitisinone",
    "A16AX06": "miglustat",
    "A16AX07": "sapropterin",
    "A16AX10": "eliglustat",
    "A16AX14": "migalastat",
    "B02BD02": "clotting factor VIII",
    "B02BD04": "clotting factor IX",
    "B02BX06": "emicizumab",
    "M09AX07": "nusinersen",
    "M09AX09": "onasemnogene abeparvovec",
    "M09AX10": "risdiplam",
    "N07XX06": "tetrabenazine",
    "N07XX08": "tafamidis",
    "N07XX12": "patisiran",
    "R07AX02": "ivacaftor",
    "R07AX3": "combinations with ivacaftor",
}
_PRICED: Final = {
    "1190021": "テトラベナジン tetrabenazine",
    "1190403": "ヌシネルセン nusinersen",
}
_TESTS: Final = {
    "21636-6": "BRCA1, mutations found",
    "21654-9": "CFTR, mutations found",
    "21667-1": "F5, mutations found",
    "29770-5": "karyotype",
    "48018-6": "gene studied",
    "51969-4": "genetic analysis report",
    "55232-3": "genetic analysis, summary",
    "55233-1": "genetic analysis, panel",
    "69548-6": "genetic variant assessment",
    "81247-9": "genetic variants, reporting panel",
}
_CONCEPTS: Final = {
    "41040004": "trisomy 21",
    "58756001": "Huntington disease",
    "190905008": "cystic fibrosis",
}

GENETICS: Final = ValueSet(
    "GDIS",
    "genetics",
    {
        ICD_10: _DIAGNOSES,
        ATC_CLASSES: _MEDICINES,
        PRICED: _PRICED,
        LOINC_CODES: _TESTS,
        SNOMED_CONCEPTS: _CONCEPTS,
    },
)
