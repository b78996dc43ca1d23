/* A small knowledge made by hand, for the tests and fuzz targets of rules. */
#pragma once

#include "core/knowledge.h"

#define FILE_OF(name, text)                                                                        \
    {                                                                                              \
        name, text, sizeof(text) - 1                                                               \
    }

static const struct knowledge_file rule_base[] = {
    FILE_OF("codes/systems.csv", "system,uri,note\n"
                                 "rxnorm,http://rx,\n"
                                 "atc,http://atc,\n"
                                 "loinc,http://loinc.org,\n"
                                 "snomed,http://snomed.info/sct,\n"),
    FILE_OF("codes/drugs.csv", "concept,name,note\n"
                               "lenalidomide,lenalidomide,\n"
                               "pomalidomide,pomalidomide,\n"
                               "thalidomide,thalidomide,\n"
                               "dexamethasone,dexamethasone,\n"
                               "naproxen,naproxen,\n"
                               "ibuprofen,ibuprofen,\n"
                               "ciprofloxacin,ciprofloxacin,\n"
                               "rifampin,rifampin,\n"
                               "zoledronic-acid,zoledronic acid,\n"),
    FILE_OF("codes/rxnorm.csv", "code,type,concept,strength,unit,quantity,form,name\n"
                                "1,IN,lenalidomide,,,,,lenalidomide\n"
                                "2,IN,pomalidomide,,,,,pomalidomide\n"
                                "3,IN,thalidomide,,,,,thalidomide\n"
                                "4,IN,dexamethasone,,,,,dexamethasone\n"
                                "5,IN,naproxen,,,,,naproxen\n"
                                "6,IN,ibuprofen,,,,,ibuprofen\n"
                                "7,IN,ciprofloxacin,,,,,ciprofloxacin\n"
                                "8,IN,rifampin,,,,,rifampin\n"
                                "9,IN,zoledronic-acid,,,,,zoledronic acid\n"),
    FILE_OF("codes/atc.csv", "code,concept,use,note\n"),
    FILE_OF("codes/loinc.csv", "code,concept,name\n"
                               "751-8,neutrophils,\n"
                               "777-3,platelets,\n"
                               "2160-0,creatinine,\n"
                               "1742-6,alt,\n"
                               "5195-3,hbsag,\n"
                               "29463-7,weight,\n"
                               "8302-2,height,\n"
                               "2118-8,hcg-qual,\n"
                               "17861-6,calcium,\n"),
    FILE_OF("codes/conditions.csv", "system,code,match,concept,name\n"
                                    "snomed,1,exact,multiple-myeloma,Multiple myeloma\n"
                                    "snomed,2,exact,dialysis,Dialysis\n"),
    FILE_OF("codes/uncoded-conditions.csv", "concept,name,note\n"
                                            "dehydration,dehydration,\n"
                                            "high-bcl2,high BCL2 expression,\n"),
    FILE_OF("codes/dose-forms.csv", "form,use,route\nOral Capsule,systemic,oral\n"),
    FILE_OF("codes/routes.csv", "system,code,route,use\nsnomed,3,oral,systemic\n"),
    FILE_OF("labs/analytes.csv", "analyte,name,unit,kind,note\n"
                                 "neutrophils,neutrophils,10*9/L,quantity,\n"
                                 "platelets,platelets,10*9/L,quantity,\n"
                                 "creatinine,creatinine,mg/dL,quantity,\n"
                                 "alt,ALT,U/L,quantity,\n"
                                 "hbsag,hepatitis B surface antigen,,coded,\n"
                                 "eye-exam,eye examination,,coded,\n"
                                 "neuropathy-grade,neuropathy grade,{CTCAE_grade},quantity,\n"
                                 "weight,weight,kg,quantity,\n"
                                 "height,height,cm,quantity,\n"
                                 "calcium,calcium,mg/dL,quantity,\n"
                                 "calcium-corrected,calcium corrected,mg/dL,quantity,\n"
                                 "calcium-ionized,calcium ionized,mmol/L,quantity,\n"
                                 "albumin,albumin,g/dL,quantity,\n"
                                 "egfr,eGFR,mL/min/{1.73_m2},quantity,\n"
                                 "wbc,leukocytes,10*9/L,quantity,\n"
                                 "neutrophil-pct,neutrophil share,%,quantity,\n"
                                 "segmented-neutrophil-pct,segmented share,%,quantity,\n"
                                 "band-neutrophil-pct,band share,%,quantity,\n"
                                 "segmented-neutrophils,segmented,10*9/L,quantity,\n"
                                 "band-neutrophils,bands,10*9/L,quantity,\n"
                                 "bsa,body surface,m2,quantity,\n"
                                 "bun,urea nitrogen,mg/dL,quantity,\n"
                                 "urea,urea,mg{urea_nitrogen}/dL,quantity,\n"
                                 "qt,QT,ms,quantity,\n"
                                 "qtc,QTc,ms,quantity,\n"
                                 "qtcb,QTcB,ms,quantity,\n"
                                 "qtcf,QTcF,ms,quantity,\n"
                                 "heart-rate,heart rate,/min,quantity,\n"
                                 "glucose,glucose,mg/dL,quantity,\n"
                                 "glucose-fasting,fasting glucose,mg/dL,quantity,\n"
                                 "glucose-poc,bedside glucose,mg/dL,quantity,\n"
                                 "hcg,pregnancy test,,coded,\n"
                                 "hcg-qual,hCG,,coded,\n"
                                 "hcg-quant,hCG amount,[IU]/L,quantity,\n"
                                 "hcg-mass-or-molar,hCG mass,,coded,\n"),
    FILE_OF("labs/units.csv", "analyte,unit,add,factor,then_add,note\n"
                              "neutrophils,/uL,,0.001,,\n"
                              "creatinine,umol/L,,1/88.4,,\n"
                              "height,m,,100,,\n"),
    FILE_OF("labs/unit-spellings.csv", "seen,unit\n"),
    FILE_OF("classes.json", "{\"classes\":{"
                            "\"any-multiple-myeloma\":{\"members\":[\"multiple-myeloma\"]},"
                            "\"myeloma-specific\":{\"members\":[\"class:imid\"]},"
                            "\"imid\":{\"members\":[\"lenalidomide\",\"pomalidomide\","
                            "\"thalidomide\"]},"
                            "\"nsaid\":{\"members\":[\"naproxen\",\"ibuprofen\"]}}}"),
};
