/* A small knowledge made by hand, for the tests and fuzz targets of fhir/. */
#pragma once

#include "core/knowledge.h"

#define FILE_OF(name, text)                                                                        \
    {                                                                                              \
        name, text, sizeof(text) - 1                                                               \
    }

static const struct knowledge_file fixture_files[] = {
    FILE_OF("codes/name-words.csv", "word,kind,note\ncap,form,\ncapsule,form,\ntablet,form,\n"
                                    "oral,form,\nmg,unit,\nstudy,vague,\n"),
    FILE_OF("codes/systems.csv", "system,uri,note\n"
                                 "rxnorm,http://www.nlm.nih.gov/research/umls/rxnorm,\n"
                                 "atc,http://www.whocc.no/atc,\n"
                                 "loinc,http://loinc.org,\n"
                                 "snomed,http://snomed.info/sct,\n"
                                 "snomed,urn:oid:2.16.840.1.113883.6.96,\n"
                                 "ndc,http://hl7.org/fhir/sid/ndc,\n"
                                 "edqm,http://standardterms.edqm.eu,\n"
                                 "observation-interpretation,"
                                 "http://terminology.hl7.org/CodeSystem/"
                                 "v3-ObservationInterpretation,\n"),
    FILE_OF("codes/drugs.csv", "concept,name,note\n"
                               "lenalidomide,lenalidomide,\n"
                               "dexamethasone,dexamethasone,\n"
                               "zoledronic-acid,zoledronic acid,\n"
                               "sulfamethoxazole,sulfamethoxazole,\n"
                               "trimethoprim,trimethoprim,\n"
                               "heparin,heparin,\n"),
    FILE_OF("codes/rxnorm.csv",
            "code,type,concept,strength,unit,quantity,form,name\n"
            "342369,IN,lenalidomide,,,,,lenalidomide\n"
            "602910,SCD,lenalidomide,10,MG,,Oral Capsule,lenalidomide 10 MG Oral Capsule\n"
            "3264,IN,dexamethasone,,,,,dexamethasone\n"
            "197577,SCD,dexamethasone,0.5,MG,,Oral Tablet,dexamethasone 0.5 MG Oral Tablet\n"
            "94334,SBDF,dexamethasone,,,,Ophthalmic Suspension,Tobradex\n"
            "351114,SCD,zoledronic-acid,0.8,MG/ML,5 ML,Injection,zoledronic acid 0.8 MG/ML\n"
            "198334,SCD,sulfamethoxazole,400,MG,,Oral Tablet,co-trimoxazole\n"
            "198334,SCD,trimethoprim,80,MG,,Oral Tablet,co-trimoxazole\n"
            "1361029,SCD,heparin,5000,UNT/ML,1 ML,Injection,heparin 5000 UNT/ML\n"),
    FILE_OF("codes/atc.csv", "code,concept,use,note\n"
                             "L04AX04,lenalidomide,systemic,\n"
                             "S01BA01,dexamethasone,local,\n"
                             "H02AB02,dexamethasone,systemic,\n"),
    FILE_OF("codes/loinc.csv", "code,concept,name\n"
                               "751-8,neutrophils,Neutrophils\n"
                               "753-4,neutrophils,Neutrophils by manual count\n"
                               "777-3,platelets,Platelets\n"
                               "2160-0,creatinine,Creatinine\n"
                               "6301-6,inr,INR\n"
                               "5195-3,hbsag,Hepatitis B surface antigen\n"
                               "72166-2,smoking-status,\n"),
    FILE_OF("codes/conditions.csv",
            "system,code,match,concept,name\n"
            "snomed,109989006,exact,multiple-myeloma,Multiple myeloma\n"
            "snomed,108290001,exact,radiotherapy,Radiation therapy\n"
            "snomed,25656009,exact,maintenance,Maintenance therapy\n"
            "snomed,77176002,exact,tobacco-smoker,Smoker\n"
            "snomed,8517006,exact,tobacco-former-smoker,Ex-smoker\n"
            "snomed,999999990,exact,tobacco-smoker,Somebody confused\n"
            "snomed,999999990,exact,tobacco-former-smoker,Somebody confused\n"),
    FILE_OF("codes/dose-forms.csv", "form,use,route\n"
                                    "Oral Capsule,systemic,oral\n"
                                    "Oral Tablet,systemic,oral\n"
                                    "Injection,systemic,parenteral\n"
                                    "Ophthalmic Suspension,local,ophthalmic\n"),
    FILE_OF("codes/routes.csv", "system,code,route,use\n"
                                "snomed,26643006,oral,systemic\n"
                                "snomed,47625008,intravenous,systemic\n"
                                "snomed,54485002,ophthalmic,local\n"),
    FILE_OF("codes/local/site.csv", "system,code,concept,comment\n"
                                    "ndc,59572042025,lenalidomide,Revlimid 25 mg\n"
                                    "urn:oid:1.2.3,ANC,neutrophils,our laboratory\n"),
    FILE_OF("labs/analytes.csv", "analyte,name,unit,kind,note\n"
                                 "neutrophils,Neutrophils,10*9/L,quantity,\n"
                                 "platelets,Platelets,10*9/L,quantity,\n"
                                 "creatinine,Creatinine,mg/dL,quantity,\n"
                                 "inr,INR,{INR},quantity,\n"
                                 "hbsag,Hepatitis B surface antigen,,coded,\n"
                                 "smoking-status,Tobacco smoking status,,coded,\n"),
    FILE_OF("labs/units.csv", "analyte,unit,add,factor,then_add,note\n"
                              "neutrophils,10*9/L,,1,,\n"
                              "neutrophils,10*3/uL,,1,,\n"
                              "neutrophils,K/uL,,1,,\n"
                              "neutrophils,/uL,,0.001,,\n"
                              "platelets,10*9/L,,1,,\n"
                              "creatinine,mg/dL,,,,\n"
                              "creatinine,umol/L,,0.0113122,,\n"),
    FILE_OF("labs/unit-spellings.csv", "seen,unit\n"
                                       "x10^9/L,10*9/L\n"),
    FILE_OF("labs/answers.csv", "analyte,condition,answer,note\n"
                                "smoking-status,tobacco-smoker,positive,\n"
                                "smoking-status,tobacco-former-smoker,negative,\n"),
    FILE_OF("classes.json", "{\"classes\":{"
                            "\"any-multiple-myeloma\":{\"members\":[\"multiple-myeloma\"]},"
                            "\"myeloma-specific\":{\"members\":[\"lenalidomide\"]}}}"),
};

#define RXNORM "'system':'http://www.nlm.nih.gov/research/umls/rxnorm'"
#define LOINC  "'system':'http://loinc.org'"
#define SNOMED "'system':'http://snomed.info/sct'"
#define UCUM   "'system':'http://unitsofmeasure.org'"
