/* Orders without a code: which drug their text names. */
#include "test.h"

#include <string.h>

#include "base/buf.h"
#include "core/knowledge.h"
#include "golden.h"

#define FILE_OF(name, text)                                                                        \
    {                                                                                              \
        name, text, sizeof(text) - 1                                                               \
    }
#define POLICY(uses) "{\"drugNames\":\"" uses "\"}"

static struct knowledge_file files[] = {
    { "codes/name-words.csv", NULL, 0 }, /* the shipped ones */
    FILE_OF("codes/systems.csv", "system,uri,note\nrxnorm,http://rx,\natc,http://atc,\n"
                                 "loinc,http://loinc.org,\n"),
    FILE_OF("codes/drugs.csv", "concept,name,note\nlenalidomide,,\npomalidomide,pomalidomide,\n"
                               "dexamethasone,dexamethasone,\nzoledronic-acid,zoledronic acid,\n"
                               "sulfamethoxazole,,\ntrimethoprim,,\nbupropion,,\n"
                               "vitamin-b12,vitamin B 12,\nhydroxyzine,,\nhydralazine,,\n"),
    FILE_OF("codes/dose-forms.csv",
            "form,use,route\nOral Capsule,systemic,oral\nOral Tablet,systemic,oral\n"
            "Injection,systemic,parenteral\nOphthalmic Suspension,local,ophthalmic\n"),
    FILE_OF("codes/routes.csv", "system,code,route,use\n"),
    FILE_OF("codes/rxnorm.csv",
            "code,type,concept,strength,unit,quantity,form,name\n"
            "1,IN,lenalidomide,,,,,lenalidomide\n"
            "2,BN,lenalidomide,,,,,Revlimid\n"
            "3,SCD,lenalidomide,10,MG,,Oral Capsule,lenalidomide 10 MG Oral Capsule\n"
            "4,SBD,lenalidomide,10,MG,,Oral Capsule,lenalidomide 10 MG Oral Capsule [Rexlimid]\n"
            "5,SCD,sulfamethoxazole,400,MG,,Oral Tablet,"
            "sulfamethoxazole 400 MG / trimethoprim 80 MG Oral Tablet\n"
            "5,SCD,trimethoprim,80,MG,,Oral Tablet,"
            "sulfamethoxazole 400 MG / trimethoprim 80 MG Oral Tablet\n"
            "6,BN,sulfamethoxazole,,,,,Bactrim\n6,BN,trimethoprim,,,,,Bactrim\n"
            "7,SCD,zoledronic-acid,0.8,MG/ML,5 ML,Injection,"
            "5 ML zoledronic acid 0.8 MG/ML Injection\n"
            "8,SCD,dexamethasone,1,MG/ML,,Ophthalmic Suspension,"
            "dexamethasone 1 MG/ML Ophthalmic Suspension\n"
            "9,PIN,bupropion,,,,,bupropion hydrochloride\n"
            "10,BN,lenalidomide,,,,,Twice\n11,BN,pomalidomide,,,,,Twice\n"
            "12,SCD,bupropion,150,MG,,Oral Tablet,"
            "24 HR bupropion hydrochloride 150 MG Extended Release Oral Tablet\n"),
    FILE_OF("codes/atc.csv", "code,concept,use,note\n"),
    FILE_OF("codes/loinc.csv", "code,concept,name\n"),
    FILE_OF("codes/conditions.csv", "system,code,match,concept,name\nrxnorm,99,exact,mm,\n"),
    FILE_OF("labs/analytes.csv", "analyte,name,unit,kind,note\n"),
    FILE_OF("labs/units.csv", "analyte,unit,add,factor,then_add,note\n"),
    FILE_OF("labs/unit-spellings.csv", "seen,unit\n"),
    FILE_OF("classes.json", "{\"classes\":{\"any-multiple-myeloma\":{\"members\":[\"mm\"]},"
                            "\"myeloma-specific\":{\"members\":[\"lenalidomide\"]}}}"),
    FILE_OF("policy.json", POLICY("use")),
};

static struct knowledge *load(const char *policy, bool off)
{
    struct knowledge *knowledge = NULL;
    struct err_list problems = { 0 };
    const struct knowledge_layers layers = { .files = files,
                                             .count = ARRAY_SIZE(files),
                                             .no_drug_names = off };

    char *words = file_text("mappings/codes/name-words.csv");

    files[0].text = words;
    files[0].len = strlen(words);
    files[ARRAY_SIZE(files) - 1].text = policy;
    files[ARRAY_SIZE(files) - 1].len = strlen(policy);
    assert_true(knowledge_load_layers(&layers, &knowledge, &problems));
    free(words);
    return knowledge;
}

static const struct name_case {
    const char *name, *text, *want; /* "concept concept use" */
} names[] = {
    { "a brand with strength and form", "Revlimid 10 mg cap", "lenalidomide systemic" },
    { "an ingredient", "lenalidomide", "lenalidomide systemic" },
    { "capitals", "LENALIDOMIDE 25MG CAPSULES", "lenalidomide systemic" },
    { "a clinical drug", "Lenalidomide 10 MG Oral Capsule", "lenalidomide systemic" },
    { "a strength without a space", "revlimid 2.5mg", "lenalidomide systemic" },
    { "a strength without a unit", "Revlimid 25", "lenalidomide systemic" },
    { "brand and ingredient of one drug", "Revlimid (lenalidomide) 10 mg oral capsule",
      "lenalidomide systemic" },
    { "a name of two words", "Zoledronic acid 4 mg/5 mL IV infusion", "zoledronic-acid systemic" },
    { "a combination, as it is listed", "Sulfamethoxazole-trimethoprim 800-160 mg tab",
      "sulfamethoxazole trimethoprim systemic" },
    { "the brand of a combination", "Bactrim", "sulfamethoxazole trimethoprim systemic" },
    { "a salt that is listed", "Bupropion HCl 150 mg XL tablet", "bupropion systemic" },
    { "a local product that is listed", "dexamethasone 0.1 mg/ml ophthalmic susp",
      "dexamethasone local" },
    { "a concept without other words", "pomalidomide 4 mg", "pomalidomide systemic" },

    { "a word with a slip is no name", "Revlimit 10 mg cap", "" },
    { "a look-alike is another drug", "hydroxyzin 25 mg", "" },
    { "a part of a word is no name", "Revlimidol", "" },
    { "a part of a name of two words is none", "acid", "" },
    { "a word that belongs to no name", "no Revlimid", "" },
    { "a word behind the name", "Revlimid allergy", "" },
    { "two drugs", "lenalidomide and dexamethasone", "" },
    { "two drugs without a word between", "lenalidomide dexamethasone", "" },
    { "a name that two drugs have", "Twice 10 mg", "" },
    { "a branded drug is no name of its own", "Rexlimid", "" },
    { "a form that no table has for the drug", "lenalidomide cream", "" },
    { "a name with a number that may be part of it", "vitamin B", "" },
    { "a strength alone", "10 mg", "" },
    { "a form alone", "capsule", "" },
    { "nothing", "", "" },
    { "letters that look alike are others",
      "Revlim\xD1\x96"
      "d",
      "" },
};

static struct knowledge *knowledge;

static void check_name(void **state)
{
    const struct name_case *c = *state;
    AUTO(buf_done) struct buf got = { 0 };
    const struct drug_code *drugs;
    enum drug_use use;
    size_t count = knowledge_drug_named(knowledge, c->text, &drugs, &use);

    for (size_t i = 0; i < count; i++)
        buf_printf(&got, "%s ", concept_name(knowledge, drugs[i].concept));
    if (count) buf_text(&got, use == USE_LOCAL ? "local" : "systemic");
    assert_string_equal(buf_string(&got), c->want);
}

static const struct text_case {
    const char *name, *text;
    enum drug_text want;
} texts[] = {
    { "a drug that we do not know", "Senna 8.6 mg tablet", DRUG_TEXT_OTHER },
    { "a drug in one word", "Multivitamin", DRUG_TEXT_OTHER },
    { "a clinical drug with a salt", "docusate sodium 100 MG Oral Capsule", DRUG_TEXT_OTHER },
    { "a salt that our names have as well", "folic acid 1 mg", DRUG_TEXT_OTHER },
    { "nothing but salts", "Sodium chloride 0.9 % IV infusion", DRUG_TEXT_OTHER },
    { "a form that our names have as well", "Refresh ophthalmic suspension", DRUG_TEXT_OTHER },
    { "a word of four letters", "Zinc 50 mg", DRUG_TEXT_OTHER },
    { "a word like one of ours in six letters", "Revlima", DRUG_TEXT_OTHER },
    { "a number beside it", "Coenzyme Q10 100", DRUG_TEXT_OTHER },

    { "a drug of ours", "Revlimid 10 mg cap", DRUG_TEXT_OURS },
    { "a brand of ours among other words", "Revlimid allergy", DRUG_TEXT_OURS },
    { "a word of a name of ours", "Vitamin C", DRUG_TEXT_OURS },
    { "a brand that stands behind a branded drug only", "Rexlimid EC 10 mg", DRUG_TEXT_OURS },
    { "two of ours", "lenalidomide and dexamethasone", DRUG_TEXT_OURS },
    { "one of ours beside another", "senna and dexamethasone", DRUG_TEXT_OURS },
    { "a name that two of ours have", "Twice 10 mg", DRUG_TEXT_OURS },
    { "a form that no table has for ours", "lenalidomide cream", DRUG_TEXT_OURS },
    { "a word like one of ours in seven letters", "Revlimit 10 mg cap", DRUG_TEXT_OURS },
    { "the name in another language", "Lenalidomid 10 mg", DRUG_TEXT_OURS },
    { "the name in Latin", "dexamethasonum", DRUG_TEXT_OURS },
    { "the name spelled with i for y", "hidroxizine", DRUG_TEXT_OURS },
    { "classes of drugs", "Antivirals as before", DRUG_TEXT_OURS },
    { "a name that our tables do not have", "Acetylsalicylic acid 100 mg", DRUG_TEXT_OURS },
    { "letters that are none of the alphabet",
      "Revlim\xD1\x96"
      "d",
      DRUG_TEXT_OURS },
    { "a brand with its sign", "Senokot\xC2\xAE", DRUG_TEXT_OURS },
    { "a class", "antibiotic per pharmacy", DRUG_TEXT_OURS },
    { "a study", "Study drug, arm B", DRUG_TEXT_OURS },
    { "a class beside a name", "Foobar antiviral", DRUG_TEXT_OURS },

    { "a word of three letters", "ASA 81 mg", DRUG_TEXT_NOTHING },
    { "letters that digits make four", "ab12", DRUG_TEXT_NOTHING },
    { "a local form alone", "ointment", DRUG_TEXT_NOTHING },
    { "a strength without a name", "10 mg", DRUG_TEXT_NOTHING },
    { "a form without a name", "capsule", DRUG_TEXT_NOTHING },
    { "an empty text", "", DRUG_TEXT_NOTHING },
};

static void check_text(void **state)
{
    const struct text_case *c = *state;

    assert_int_equal(knowledge_drug_text(knowledge, c->text), c->want);
}

static void a_text_beyond_all_length_names_nothing(void **state)
{
    const struct drug_code *drugs;
    char text[300], words[200];
    enum drug_use use;

    (void)state;
    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    assert_int_equal(knowledge_drug_named(knowledge, text, &drugs, &use), 0);
    assert_int_equal(knowledge_drug_text(knowledge, text), DRUG_TEXT_OURS);
    for (size_t i = 0; i < sizeof words - 1; i++) words[i] = i % 2 ? ' ' : 'a';
    words[sizeof words - 1] = '\0';
    assert_int_equal(knowledge_drug_named(knowledge, words, &drugs, &use), 0);
    assert_int_equal(knowledge_drug_text(knowledge, words), DRUG_TEXT_OURS);
}

static void it_can_be_switched_off(void **state)
{
    AUTO(knowledge_free) struct knowledge *policy = load(POLICY("ignore"), false);
    AUTO(knowledge_free) struct knowledge *option = load(POLICY("use"), true);
    const struct drug_code *drugs;
    enum drug_use use;

    (void)state;
    assert_int_equal(knowledge_drug_named(policy, "Revlimid", &drugs, &use), 0);
    assert_int_equal(knowledge_drug_named(option, "Revlimid", &drugs, &use), 0);
    assert_int_equal(knowledge_drug_text(policy, "Senna"), DRUG_TEXT_NOTHING);
    assert_int_equal(knowledge_drug_text(option, "Senna"), DRUG_TEXT_NOTHING);
    assert_string_not_equal(knowledge_generation(option), knowledge_generation(knowledge));
}

int main(void)
{
    const struct CMUnitTest others[] = {
        cmocka_unit_test(a_text_beyond_all_length_names_nothing),
        cmocka_unit_test(it_can_be_switched_off),
    };

    knowledge = load(POLICY("use"), false);
    int failed = RUN_TABLE("names of drugs", names, check_name) +
                 RUN_TABLE("texts that no code tells", texts, check_text) +
                 cmocka_run_group_tests_name("drug names", others, NULL, NULL);
    knowledge_free(knowledge);
    return failed;
}
