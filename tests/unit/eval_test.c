#include "test.h"

#include "core/eval_impl.h"
#include "rule_fixture.h"

/* ---- one clause, one chart: what it says, and until when */

#define T TRUTH_TRUE
#define F TRUTH_FALSE
#define U TRUTH_UNKNOWN

#define DOSE_GAP                                                                                   \
    "{'all':[{'order':'zoledronic-acid'},{'noResult':'creatinine','within':'7 d',"                 \
    "'due':'on dose days'}]}"
#define HCG "{'result':'hcg','is':'positive','within':'45 d'}"

static const struct clause_case {
    const char *name;
    const char *when; /* with ' for " */
    const char *patient, *orders, *results, *conditions;
    int64_t at_ms; /* asked so long after NOW */
    enum truth want;
    unsigned doubts;
    int64_t next_ms; /* after NOW; NEVER */
} clauses[] = {
    /* orders: states */
    { "an active order is one", "{'order':'lenalidomide'}", NULL, "lenalidomide 10 mg daily", NULL,
      NULL, 0, T, 0, NEVER },
    { "no order is none", "{'order':'lenalidomide'}", NULL, NULL, NULL, NULL, 0, F, 0, NEVER },
    { "an order for another drug is none", "{'order':'lenalidomide'}", NULL, "naproxen", NULL, NULL,
      0, F, 0, NEVER },
    { "a drug of the class is one", "{'order':'class:imid'}", NULL, "thalidomide", NULL, NULL, 0, T,
      0, NEVER },
    { "an order counts until its end", "{'order':'lenalidomide'}", NULL,
      "lenalidomide, until in 2 d", NULL, NULL, 2 * DAY - 1, T, 0, 2 * DAY },
    { "at its end it has ended", "{'order':'lenalidomide'}", NULL, "lenalidomide, until in 2 d",
      NULL, NULL, 2 * DAY, F, 0, NEVER },
    { "an order counts from its start", "{'order':'lenalidomide'}", NULL,
      "lenalidomide, since in 3 d", NULL, NULL, 0, F, 0, 3 * DAY },
    { "at its start it counts", "{'order':'lenalidomide'}", NULL, "lenalidomide, since in 3 d",
      NULL, NULL, 3 * DAY, T, 0, NEVER },
    { "an order on hold is not active", "{'order':'lenalidomide'}", NULL, "lenalidomide, held",
      NULL, NULL, 0, F, 0, NEVER },
    { "an order on hold is held", "{'order':'lenalidomide','is':'held'}", NULL,
      "lenalidomide, held", NULL, NULL, 0, T, 0, NEVER },
    { "active or held takes both", "{'order':'lenalidomide','is':'active or held'}", NULL,
      "lenalidomide, held", NULL, NULL, 0, T, 0, NEVER },
    { "active or planned takes an order of tomorrow",
      "{'order':'lenalidomide','is':'active or planned'}", NULL, "lenalidomide, since in 1 d", NULL,
      NULL, 0, T, 0, DAY },
    { "active or planned takes one that has begun",
      "{'order':'lenalidomide','is':'active or planned'}", NULL, "lenalidomide", NULL, NULL, 0, T,
      0, NEVER },
    { "active or planned takes none on hold", "{'order':'lenalidomide','is':'active or planned'}",
      NULL, "lenalidomide, held", NULL, NULL, 0, F, 0, NEVER },
    { "an order of tomorrow is planned", "{'order':'lenalidomide','is':'planned'}", NULL,
      "lenalidomide, since in 1 d", NULL, NULL, 0, T, 0, DAY },
    { "an order that was stopped is ended", "{'order':'lenalidomide','is':'ended'}", NULL,
      "lenalidomide, stopped", NULL, NULL, 0, T, 0, NEVER },
    { "a draft is no order", "{'order':'lenalidomide','is':'planned'}", NULL, "lenalidomide, draft",
      NULL, NULL, 0, F, 0, NEVER },
    { "an order entered in error is none", "{'order':'lenalidomide'}", NULL,
      "lenalidomide, entered in error", NULL, NULL, 0, F, 0, NEVER },
    { "a status that is not known may be any", "{'order':'lenalidomide'}", NULL,
      "lenalidomide, status unknown", NULL, NULL, 0, U, DOUBT_STATUS, NEVER },
    { "a drug that is not known may be any", "{'order':'lenalidomide'}", NULL, "unmapped Pill",
      NULL, NULL, 0, U, DOUBT_UNMAPPED, NEVER },
    { "a drug that its name tells apart is none of ours", "{'order':'lenalidomide'}", NULL,
      "named Senna", NULL, NULL, 0, F, 0, NEVER },
    { "but another one beside it may be", "{'order':'lenalidomide'}", NULL,
      "named Senna; unmapped Pill", NULL, NULL, 0, U, DOUBT_UNMAPPED, NEVER },
    { "unless its order is over", "{'order':'lenalidomide'}", NULL, "unmapped Pill, until 1 d ago",
      NULL, NULL, 0, F, 0, NEVER },
    { "a drug that is not known does not matter beside one that is", "{'order':'lenalidomide'}",
      NULL, "lenalidomide; unmapped Pill", NULL, NULL, 0, T, 0, NEVER },
    { "the prescription's validity may end, the order does not", "{'order':'lenalidomide'}", NULL,
      "lenalidomide, expired 2 d ago", NULL, NULL, 0, T, 0, NEVER },
    { "eye drops are no systemic use", "{'order':'ciprofloxacin'}", NULL, "ciprofloxacin, local",
      NULL, NULL, 0, F, 0, NEVER },
    { "unless any use is asked for", "{'order':'ciprofloxacin','use':'any'}", NULL,
      "ciprofloxacin, local", NULL, NULL, 0, T, 0, NEVER },
    { "except takes a drug out", "{'order':'class:imid','except':'lenalidomide'}", NULL,
      "lenalidomide", NULL, NULL, 0, F, 0, NEVER },

    /* orders: absence */
    { "no order is absent", "{'noOrder':'lenalidomide'}", NULL, NULL, NULL, NULL, 0, T, 0, NEVER },
    { "an order is not absent until it ends", "{'noOrder':'lenalidomide'}", NULL,
      "lenalidomide, until in 1 d", NULL, NULL, 0, F, 0, DAY },
    { "a drug that is not known may be the absent one", "{'noOrder':'lenalidomide'}", NULL,
      "unmapped Pill", NULL, NULL, 0, U, DOUBT_UNMAPPED, NEVER },
    { "one that its name tells apart is not", "{'noOrder':'lenalidomide'}", NULL, "named Senna",
      NULL, NULL, 0, T, 0, NEVER },

    /* orders: route, dose */
    { "by the route", "{'order':'zoledronic-acid','route':'intravenous'}", NULL,
      "zoledronic-acid 4 mg, intravenous", NULL, NULL, 0, T, 0, NEVER },
    { "by another route", "{'order':'zoledronic-acid','route':['oral','subcutaneous']}", NULL,
      "zoledronic-acid 4 mg, intravenous", NULL, NULL, 0, F, 0, NEVER },
    { "by a route that is not known", "{'order':'zoledronic-acid','route':'intravenous'}", NULL,
      "zoledronic-acid 4 mg", NULL, NULL, 0, U, DOUBT_DOSE, NEVER },
    { "a drug that is not known by another route is not it",
      "{'order':'zoledronic-acid','route':'intravenous'}", NULL, "unmapped Pill, oral", NULL, NULL,
      0, F, 0, NEVER },
    { "exactly the daily dose is not above it", "{'order':'lenalidomide','daily':'above 10 mg'}",
      NULL, "lenalidomide 10 mg daily", NULL, NULL, 0, F, 0, NEVER },
    { "a daily dose above", "{'order':'lenalidomide','daily':'above 10 mg'}", NULL,
      "lenalidomide 10.1 mg daily", NULL, NULL, 0, T, 0, NEVER },
    { "the daily dose is the average", "{'order':'lenalidomide','daily':'at most 7.5 mg'}", NULL,
      "lenalidomide 15 mg every 48 h", NULL, NULL, 0, T, 0, NEVER },
    { "a daily dose that is not known", "{'order':'lenalidomide','daily':'above 10 mg'}", NULL,
      "lenalidomide 10 mg", NULL, NULL, 0, U, DOUBT_DOSE, NEVER },
    { "a single dose is known then", "{'order':'lenalidomide','single':'5 to 10 mg'}", NULL,
      "lenalidomide 10 mg", NULL, NULL, 0, T, 0, NEVER },
    { "a dose in another unit", "{'order':'dexamethasone','single':'above 10 mg'}", NULL,
      "dexamethasone 20 mg/m2", NULL, NULL, 0, U, DOUBT_DOSE, NEVER },
    /* 40 mg a week are 160 mg in 28 d; 5 mg a day are 140 */
    { "a total of exactly so much", "{'order':'dexamethasone','total':'at least 160 mg in 28 d'}",
      NULL, "dexamethasone 40 mg every 7 d", NULL, NULL, 0, T, 0, NEVER },
    { "exactly so much is not above it", "{'order':'dexamethasone','total':'above 160 mg in 28 d'}",
      NULL, "dexamethasone 40 mg every 7 d", NULL, NULL, 0, F, 0, NEVER },
    { "a total of less", "{'order':'dexamethasone','total':'at least 160 mg in 28 d'}", NULL,
      "dexamethasone 39.99 mg every 7 d", NULL, NULL, 0, F, 0, NEVER },
    { "a daily dose has a total too", "{'order':'dexamethasone','total':'at least 140 mg in 4 wk'}",
      NULL, "dexamethasone 5 mg daily", NULL, NULL, 0, T, 0, NEVER },
    { "every 9 days: 28 d hold 3 and a ninth of it",
      "{'order':'dexamethasone','total':'at least 28 mg in 28 d'}", NULL,
      "dexamethasone 9 mg every 9 d", NULL, NULL, 0, T, 0, NEVER },
    { "a total that is not known", "{'order':'dexamethasone','total':'at least 160 mg in 28 d'}",
      NULL, "dexamethasone 40 mg", NULL, NULL, 0, U, DOUBT_DOSE, NEVER },
    { "a total in another unit", "{'order':'dexamethasone','total':'at least 160 mg in 28 d'}",
      NULL, "dexamethasone 40 mg/m2 every 7 d", NULL, NULL, 0, U, DOUBT_DOSE, NEVER },
    /* 40 mg a day for 4 d are 160, for 3 d 120, and another order may go on */
    { "an order of four days reaches the total",
      "{'order':'dexamethasone','total':'at least 160 mg in 28 d'}", NULL,
      "dexamethasone 40 mg daily, since 3 d ago, until in 1 d", NULL, NULL, 0, T, 0, DAY },
    { "an order of three days may reach it with the next one",
      "{'order':'dexamethasone','total':'at least 160 mg in 28 d'}", NULL,
      "dexamethasone 40 mg daily, since 2 d ago, until in 1 d", NULL, NULL, 0, U, DOUBT_DOSE, DAY },
    { "a low dose for three days does not, whatever follows",
      "{'order':'dexamethasone','total':'at least 160 mg in 28 d'}", NULL,
      "dexamethasone 5 mg daily, since 2 d ago, until in 1 d", NULL, NULL, 0, F, 0, NEVER },
    { "an order that lasts as long as the span has all of it",
      "{'order':'dexamethasone','total':'at least 140 mg in 28 d'}", NULL,
      "dexamethasone 5 mg daily, since 27 d ago, until in 1 d", NULL, NULL, 0, T, 0, DAY },
    { "two orders whose totals reach it only together",
      "{'order':'dexamethasone','total':'at least 160 mg in 28 d'}", NULL,
      "dexamethasone 20 mg every 7 d; dexamethasone 20 mg every 7 d", NULL, NULL, 0, U, DOUBT_DOSE,
      NEVER },
    { "total and single dose",
      "{'order':'dexamethasone','total':'at least 160 mg in 28 d',"
      "'single':'at least 40 mg'}",
      NULL, "dexamethasone 20 mg every 3 d", NULL, NULL, 0, F, 0, NEVER },
    { "a text that speaks of a pause leaves it open whether it is continuous",
      "{'order':'lenalidomide','continuous':true}", NULL,
      "lenalidomide 10 mg daily, a pause in its text", NULL, NULL, 0, U, DOUBT_DOSE, NEVER },
    { "continuous is what says so", "{'order':'lenalidomide','continuous':true}", NULL,
      "lenalidomide 10 mg daily, continuous", NULL, NULL, 0, T, 0, NEVER },
    { "a daily dose with a pause is not continuous", "{'order':'lenalidomide','continuous':true}",
      NULL, "lenalidomide 10 mg daily", NULL, NULL, 0, F, 0, NEVER },
    { "a dose that is not known may be continuous", "{'order':'lenalidomide','continuous':true}",
      NULL, "lenalidomide, dose unknown", NULL, NULL, 0, U, DOUBT_DOSE, NEVER },

    { "two orders that are above only together", "{'order':'pomalidomide','daily':'above 2 mg'}",
      NULL, "pomalidomide 2 mg daily; pomalidomide 2 mg daily", NULL, NULL, 0, U, DOUBT_DOSE,
      NEVER },
    { "one of them is above", "{'order':'pomalidomide','daily':'above 2 mg'}", NULL,
      "pomalidomide 2 mg daily; pomalidomide 3 mg daily", NULL, NULL, 0, T, 0, NEVER },
    { "two orders that are within only alone", "{'order':'lenalidomide','daily':'at most 15 mg'}",
      NULL, "lenalidomide 10 mg daily; lenalidomide 10 mg daily", NULL, NULL, 0, U, DOUBT_DOSE,
      NEVER },
    { "two orders that are within together", "{'order':'lenalidomide','daily':'at most 15 mg'}",
      NULL, "lenalidomide 10 mg daily; lenalidomide 5 mg daily", NULL, NULL, 0, T, 0, NEVER },
    { "they may be none", "{'noOrder':'lenalidomide','daily':'at most 15 mg'}", NULL,
      "lenalidomide 10 mg daily; lenalidomide 10 mg daily", NULL, NULL, 0, U, DOUBT_DOSE, NEVER },
    { "orders for different drugs do not add up", "{'order':'class:imid','daily':'above 10 mg'}",
      NULL, "lenalidomide 10 mg daily; pomalidomide 4 mg daily", NULL, NULL, 0, F, 0, NEVER },
    { "an order on hold is not added", "{'order':'pomalidomide','daily':'above 2 mg'}", NULL,
      "pomalidomide 2 mg daily; pomalidomide 2 mg daily, held", NULL, NULL, 0, F, 0, NEVER },
    { "the second is added until it ends", "{'order':'pomalidomide','daily':'above 2 mg'}", NULL,
      "pomalidomide 2 mg daily; pomalidomide 2 mg daily, until in 2 d", NULL, NULL, 0, U,
      DOUBT_DOSE, 2 * DAY },
    { "the second is added from its start", "{'order':'pomalidomide','daily':'above 2 mg'}", NULL,
      "pomalidomide 2 mg daily; pomalidomide 2 mg daily, since in 3 d", NULL, NULL, 0, F, 0,
      3 * DAY },

    /* orders: times */
    { "started exactly so long ago is within", "{'order':'lenalidomide','startedWithin':'7 d'}",
      NULL, "lenalidomide, since 7 d ago", NULL, NULL, 0, T, 0, 1 },
    { "a millisecond longer is not", "{'order':'lenalidomide','startedWithin':'7 d'}", NULL,
      "lenalidomide, since 7 d ago", NULL, NULL, 1, F, 0, NEVER },
    { "exactly so long ago is not before", "{'order':'lenalidomide','startedBefore':'7 d'}", NULL,
      "lenalidomide, since 7 d ago", NULL, NULL, 0, F, 0, 1 },
    { "a millisecond longer is before", "{'order':'lenalidomide','startedBefore':'7 d'}", NULL,
      "lenalidomide, since 7 d ago", NULL, NULL, 1, T, 0, NEVER },
    { "a start that is not known", "{'order':'lenalidomide','startedWithin':'7 d'}", NULL,
      "lenalidomide, start unknown", NULL, NULL, 0, U, DOUBT_TIME, NEVER },
    { "ended exactly so long ago is within",
      "{'order':'lenalidomide','is':'ended','endedWithin':'7 d'}", NULL,
      "lenalidomide, until 7 d ago", NULL, NULL, 0, T, 0, 1 },
    { "a millisecond longer ended is not",
      "{'order':'lenalidomide','is':'ended','endedWithin':'7 d'}", NULL,
      "lenalidomide, until 7 d ago", NULL, NULL, 1, F, 0, NEVER },
    { "an order stopped before its planned end ended nobody knows when",
      "{'order':'lenalidomide','is':'ended','endedWithin':'7 d'}", NULL,
      "lenalidomide, until in 9 d, stopped", NULL, NULL, 0, U, DOUBT_TIME, 9 * DAY },
    { "a drug lingers after its end", "{'order':'rifampin','lingers':{'rifampin':'2 d'}}", NULL,
      "rifampin, until 1 d ago", NULL, NULL, 0, T, 0, DAY },
    { "but not longer", "{'order':'rifampin','lingers':{'rifampin':'2 d'}}", NULL,
      "rifampin, until 2 d ago", NULL, NULL, 0, F, 0, NEVER },
    { "a drug that is not known may have lingered",
      "{'order':'rifampin','lingers':{'rifampin':'2 d'}}", NULL, "unmapped Pill, until 1 d ago",
      NULL, NULL, 0, U, DOUBT_UNMAPPED, DAY },

    /* orders: starts near each other */
    { "starts 24 h apart", "{'order':'naproxen','startsWithin':'24 h','of':'class:imid'}", NULL,
      "naproxen, since 24 h ago; lenalidomide, since 48 h ago", NULL, NULL, 0, T, 0, NEVER },
    { "starts further apart", "{'order':'naproxen','startsWithin':'24 h','of':'class:imid'}", NULL,
      "naproxen, since 24 h ago; lenalidomide, since 49 h ago", NULL, NULL, 0, F, 0, NEVER },
    { "the other one is planned", "{'order':'naproxen','startsWithin':'24 h','of':'class:imid'}",
      NULL, "naproxen, since 1 h ago; lenalidomide, since in 23 h", NULL, NULL, 0, T, 0,
      23 * HOUR },
    { "one of two is near", "{'order':'naproxen','startsWithin':'24 h','of':'class:imid'}", NULL,
      "naproxen, since 1 h ago; lenalidomide, since 9 d ago; thalidomide, since 2 h ago", NULL,
      NULL, 0, T, 0, NEVER },
    { "the other one is over", "{'order':'naproxen','startsWithin':'24 h','of':'class:imid'}", NULL,
      "naproxen, since 1 h ago; lenalidomide, since 2 h ago, stopped", NULL, NULL, 0, F, 0, NEVER },
    { "an order is not near itself",
      "{'order':'naproxen','startsWithin':'24 h','of':'class:nsaid'}", NULL,
      "naproxen, since 1 h ago", NULL, NULL, 0, F, 0, NEVER },
    { "two starts on one day", "{'order':'naproxen','startsWithin':'24 h','of':'class:imid'}", NULL,
      "naproxen, since 1 d ago, start to the day; lenalidomide, since 1 d ago, start to the day",
      NULL, NULL, 0, T, 0, NEVER },
    { "two starts on days that follow each other may be 24 h apart or more",
      "{'order':'naproxen','startsWithin':'24 h','of':'class:imid'}", NULL,
      "naproxen, since 1 d ago, start to the day; lenalidomide, since 2 d ago, start to the day",
      NULL, NULL, 0, U, DOUBT_TIME, NEVER },
    { "a day lies between two starts",
      "{'order':'naproxen','startsWithin':'24 h','of':'class:imid'}", NULL,
      "naproxen, since 1 d ago, start to the day; lenalidomide, since 3 d ago, start to the day",
      NULL, NULL, 0, F, 0, NEVER },
    { "a start that nobody states may be near",
      "{'order':'naproxen','startsWithin':'24 h','of':'class:imid'}", NULL,
      "naproxen, since 1 h ago; lenalidomide, start unknown", NULL, NULL, 0, U, DOUBT_TIME, NEVER },
    { "a drug that is not known may be the other one",
      "{'order':'naproxen','startsWithin':'24 h','of':'class:imid'}", NULL,
      "naproxen, since 1 h ago; unmapped Pill, since 2 h ago", NULL, NULL, 0, U, DOUBT_UNMAPPED,
      NEVER },
    { "but not when it began earlier",
      "{'order':'naproxen','startsWithin':'24 h','of':'class:imid'}", NULL,
      "naproxen, since 1 h ago; unmapped Pill, since 9 d ago", NULL, NULL, 0, F, 0, NEVER },

    /* orders: times of day */
    { "the same time of day", "{'order':'naproxen','sameTimeAs':'dexamethasone'}", NULL,
      "naproxen, at 08:00, at 20:00; dexamethasone, at 08:00:00", NULL, NULL, 0, T, 0, NEVER },
    { "another time of day", "{'order':'naproxen','sameTimeAs':'dexamethasone'}", NULL,
      "naproxen, at 08:00; dexamethasone, at 09:00", NULL, NULL, 0, F, 0, NEVER },
    { "the same moment", "{'order':'naproxen','sameTimeAs':'dexamethasone'}", NULL,
      "naproxen, at MORN; dexamethasone, at MORN", NULL, NULL, 0, T, 0, NEVER },
    { "another part of the day", "{'order':'naproxen','sameTimeAs':'dexamethasone'}", NULL,
      "naproxen, at ACM; dexamethasone, at EVE", NULL, NULL, 0, F, 0, NEVER },
    { "two moments of the morning may be one", "{'order':'naproxen','sameTimeAs':'dexamethasone'}",
      NULL, "naproxen, at ACM; dexamethasone, at MORN", NULL, NULL, 0, U, DOUBT_TIME, NEVER },
    { "a clock time may be a moment", "{'order':'naproxen','sameTimeAs':'dexamethasone'}", NULL,
      "naproxen, at 08:00; dexamethasone, at MORN", NULL, NULL, 0, U, DOUBT_TIME, NEVER },
    { "times that are not stated", "{'order':'naproxen','sameTimeAs':'dexamethasone'}", NULL,
      "naproxen, at 08:00; dexamethasone", NULL, NULL, 0, U, DOUBT_TIME, NEVER },
    { "no other order", "{'order':'naproxen','sameTimeAs':'dexamethasone'}", NULL,
      "naproxen, at 08:00", NULL, NULL, 0, F, 0, NEVER },

    /* orders: several */
    { "two different drugs", "{'order':'class:imid','different':2}", NULL,
      "lenalidomide; thalidomide", NULL, NULL, 0, T, 0, NEVER },
    { "two orders for one drug are not two", "{'order':'class:imid','different':2}", NULL,
      "lenalidomide 10 mg daily; lenalidomide 5 mg daily", NULL, NULL, 0, F, 0, NEVER },
    { "nor is an unclear order for the same drug", "{'order':'class:imid','different':2}", NULL,
      "lenalidomide; lenalidomide, status unknown", NULL, NULL, 0, F, 0, NEVER },
    { "an unclear order for another drug may be", "{'order':'class:imid','different':2}", NULL,
      "lenalidomide; thalidomide, status unknown", NULL, NULL, 0, U, DOUBT_STATUS, NEVER },
    { "a drug that is not known may be the second", "{'order':'class:imid','different':2}", NULL,
      "lenalidomide; unmapped Pill", NULL, NULL, 0, U, DOUBT_UNMAPPED, NEVER },
    { "not together for longer than asked", "{'order':'class:imid','different':2,'overlap':'28 d'}",
      NULL, "lenalidomide, since 90 d ago; thalidomide, since 28 d ago", NULL, NULL, 0, F, 0, 1 },
    { "together for longer than asked", "{'order':'class:imid','different':2,'overlap':'28 d'}",
      NULL, "lenalidomide, since 90 d ago; thalidomide, since 28 d ago", NULL, NULL, 1, T, 0,
      NEVER },
    { "a renewed order does not begin the overlap anew",
      "{'order':'class:imid','different':2,'overlap':'28 d'}", NULL,
      "lenalidomide, since 90 d ago; thalidomide, since 60 d ago, until 5 d ago; "
      "thalidomide, since 5 d ago",
      NULL, NULL, 0, T, 0, NEVER },
    { "only drugs that are not known", "{'order':'class:imid','as':'together'}", NULL,
      "unmapped A; unmapped B", NULL, NULL, 0, U, DOUBT_UNMAPPED, NEVER },

    /* results */
    { "a value below the limit", "{'result':'neutrophils','is':'below 1.0 10*9/L','within':'14 d'}",
      NULL, NULL, "neutrophils 0.999 10*9/L, 1 d ago", NULL, 0, T, 0, 13 * DAY + 1 },
    { "the limit itself is not below it",
      "{'result':'neutrophils','is':'below 1.0 10*9/L','within':'14 d'}", NULL, NULL,
      "neutrophils 1.0 10*9/L, 1 d ago", NULL, 0, F, 0, 13 * DAY + 1 },
    { "in another unit", "{'result':'neutrophils','is':'below 1.0 10*9/L','within':'14 d'}", NULL,
      NULL, "neutrophils 999 /uL, 1 d ago", NULL, 0, T, 0, 13 * DAY + 1 },
    { "both ends of a range are in it",
      "{'result':'neutrophils','is':'0.5 to 1.0 10*9/L','within':'14 d'}", NULL, NULL,
      "neutrophils 0.5 10*9/L, now", NULL, 0, T, 0, 14 * DAY + 1 },
    { "exactly so old still counts",
      "{'result':'neutrophils','is':'below 1.0 10*9/L','within':'14 d'}", NULL, NULL,
      "neutrophils 0.5 10*9/L, 14 d ago", NULL, 0, T, 0, 1 },
    { "a millisecond older does not",
      "{'result':'neutrophils','is':'below 1.0 10*9/L','within':'14 d'}", NULL, NULL,
      "neutrophils 0.5 10*9/L, 14 d ago", NULL, 1, U, DOUBT_STALE, NEVER },
    { "at any age", "{'result':'neutrophils','is':'below 1.0 10*9/L','within':'ever'}", NULL, NULL,
      "neutrophils 0.5 10*9/L, 9 a ago", NULL, 0, T, 0, NEVER },
    { "no result", "{'result':'neutrophils','is':'below 1.0 10*9/L','within':'14 d'}", NULL, NULL,
      NULL, NULL, 0, U, DOUBT_MISSING, NEVER },
    { "a unit that cannot be converted",
      "{'result':'neutrophils','is':'below 1.0 10*9/L','within':'14 d'}", NULL, NULL,
      "neutrophils 0.5 mol, 1 d ago", NULL, 0, U, DOUBT_UNIT, 13 * DAY + 1 },
    { "a value that cannot be read",
      "{'result':'neutrophils','is':'below 1.0 10*9/L','within':'14 d'}", NULL, NULL,
      "neutrophils unreadable, 1 d ago; neutrophils 0.5 10*9/L, 2 d ago", NULL, 0, U,
      DOUBT_UNREADABLE, 13 * DAY + 1 },
    { "below a value that is above the limit",
      "{'result':'neutrophils','is':'below 1.0 10*9/L','within':'14 d'}", NULL, NULL,
      "neutrophils <2 10*9/L, 1 d ago", NULL, 0, U, DOUBT_COMPARATOR, 13 * DAY + 1 },
    { "below the limit itself", "{'result':'neutrophils','is':'below 1.0 10*9/L','within':'14 d'}",
      NULL, NULL, "neutrophils <1.0 10*9/L, 1 d ago", NULL, 0, T, 0, 13 * DAY + 1 },
    { "the newest counts", "{'result':'neutrophils','is':'below 1.0 10*9/L','within':'14 d'}", NULL,
      NULL, "neutrophils 0.5 10*9/L, 2 d ago; neutrophils 1.5 10*9/L, 1 d ago", NULL, 0, F, 0,
      13 * DAY + 1 },
    { "a result entered in error does not count",
      "{'result':'neutrophils','is':'below 1.0 10*9/L','within':'14 d'}", NULL, NULL,
      "neutrophils 0.5 10*9/L, 2 d ago; neutrophils 1.5 10*9/L, 1 d ago, removed", NULL, 0, T, 0,
      12 * DAY + 1 },
    { "a preliminary one does not count",
      "{'result':'neutrophils','is':'below 1.0 10*9/L','within':'14 d'}", NULL, NULL,
      "neutrophils 0.5 10*9/L, 1 d ago, preliminary", NULL, 0, U, DOUBT_MISSING, NEVER },
    { "one without a date does not count",
      "{'result':'neutrophils','is':'below 1.0 10*9/L','within':'14 d'}", NULL, NULL,
      "neutrophils 0.5 10*9/L, date unknown", NULL, 0, U, DOUBT_TIME, NEVER },
    { "one dated in the future counts from then on",
      "{'result':'neutrophils','is':'below 1.0 10*9/L','within':'14 d'}", NULL, NULL,
      "neutrophils 0.5 10*9/L, in 2 d", NULL, 0, U, DOUBT_TIME, 2 * DAY },
    { "until then the older one counts",
      "{'result':'neutrophils','is':'below 1.0 10*9/L','within':'14 d'}", NULL, NULL,
      "neutrophils 0.5 10*9/L, 1 d ago; neutrophils 2 10*9/L, in 1 h; neutrophils 3 10*9/L, in 9 h",
      NULL, 0, T, 0, HOUR },
    { "two values of one moment on the same side",
      "{'result':'neutrophils','is':'below 1.0 10*9/L','within':'14 d'}", NULL, NULL,
      "neutrophils 0.5 10*9/L, 1 d ago; neutrophils 0.9 10*9/L, 1 d ago", NULL, 0, T, 0,
      13 * DAY + 1 },
    { "two values of one moment on different sides: none wins by chance",
      "{'result':'neutrophils','is':'below 1.0 10*9/L','within':'14 d'}", NULL, NULL,
      "neutrophils 0.5 10*9/L, 1 d ago; neutrophils 1.5 10*9/L, 1 d ago", NULL, 0, U,
      DOUBT_COMPARATOR, 13 * DAY + 1 },
    { "of one moment what can be read is taken",
      "{'result':'neutrophils','is':'below 1.0 10*9/L','within':'14 d'}", NULL, NULL,
      "neutrophils 0.5 10*9/L, 1 d ago; neutrophils unreadable, 1 d ago", NULL, 0, T, 0,
      13 * DAY + 1 },
    { "a coded result", "{'result':'hbsag','is':'positive','within':'ever'}", NULL, NULL,
      "hbsag positive, 1 d ago", NULL, 0, T, 0, NEVER },
    { "the other code", "{'result':'hbsag','is':'positive','within':'ever'}", NULL, NULL,
      "hbsag negative, 1 d ago", NULL, 0, F, 0, NEVER },
    { "codes that contradict each other", "{'result':'hbsag','is':'positive','within':'ever'}",
      NULL, NULL, "hbsag negative, 1 d ago; hbsag positive, 1 d ago", NULL, 0, U, DOUBT_UNREADABLE,
      NEVER },

    /* results: relative */
    { "a multiple of the upper limit",
      "{'result':'alt','is':'at least 3 x upper limit','within':'7 d'}", NULL, NULL,
      "alt 120 U/L, now, upper 40 U/L", NULL, 0, T, 0, 7 * DAY + 1 },
    { "less than the multiple", "{'result':'alt','is':'at least 3 x upper limit','within':'7 d'}",
      NULL, NULL, "alt 119.9 U/L, now, upper 40 U/L", NULL, 0, F, 0, 7 * DAY + 1 },
    { "without an upper limit", "{'result':'alt','is':'at least 3 x upper limit','within':'7 d'}",
      NULL, NULL, "alt 120 U/L, now", NULL, 0, U, DOUBT_INPUT, 7 * DAY + 1 },
    { "an upper limit of zero is none",
      "{'result':'alt','is':'at least 3 x upper limit','within':'7 d'}", NULL, NULL,
      "alt 120 U/L, now, upper 0 U/L", NULL, 0, U, DOUBT_INPUT, 7 * DAY + 1 },
    { "a rise since the previous value",
      "{'result':'creatinine','rose':'at least 0.5 mg/dL','since':'previous','within':'7 d'}", NULL,
      NULL, "creatinine 1.0 mg/dL, 9 d ago; creatinine 1.5 mg/dL, now", NULL, 0, T, 0,
      7 * DAY + 1 },
    { "a smaller rise",
      "{'result':'creatinine','rose':'above 0.5 mg/dL','since':'previous',"
      "'within':'7 d'}",
      NULL, NULL, "creatinine 1.0 mg/dL, 9 d ago; creatinine 1.5 mg/dL, now", NULL, 0, F, 0,
      7 * DAY + 1 },
    { "nothing to compare with",
      "{'result':'creatinine','rose':'at least 0.5 mg/dL','since':'previous','within':'7 d'}", NULL,
      NULL, "creatinine 1.5 mg/dL, now", NULL, 0, U, DOUBT_INPUT, 7 * DAY + 1 },
    { "a rise since the lowest in a span",
      "{'result':'creatinine','rose':'at least 0.3 mg/dL','since':'lowest in 48 h',"
      "'within':'7 d'}",
      NULL, NULL,
      "creatinine 0.5 mg/dL, 49 h ago; creatinine 0.9 mg/dL, 48 h ago; creatinine 1.1 mg/dL, "
      "9 h ago; creatinine 1.2 mg/dL, now",
      NULL, 0, T, 0, 7 * DAY + 1 },
    { "the lowest may be below what could be measured",
      "{'result':'creatinine','rose':'at least 0.3 mg/dL','since':'lowest in 48 h',"
      "'within':'7 d'}",
      NULL, NULL,
      "creatinine <0.9 mg/dL, 40 h ago; creatinine 1.0 mg/dL, 9 h ago; creatinine 1.1 mg/dL, now",
      NULL, 0, U, DOUBT_COMPARATOR, 7 * DAY + 1 },
    { "a fall since the previous value",
      "{'result':'platelets','fell':'at least 50 10*9/L','since':'previous','within':'7 d'}", NULL,
      NULL, "platelets 150 10*9/L, 9 d ago; platelets 100 10*9/L, now", NULL, 0, T, 0,
      7 * DAY + 1 },
    { "a smaller fall",
      "{'result':'platelets','fell':'at least 50 10*9/L','since':'previous','within':'7 d'}", NULL,
      NULL, "platelets 150 10*9/L, 9 d ago; platelets 100.1 10*9/L, now", NULL, 0, F, 0,
      7 * DAY + 1 },
    { "a multiple of the value before the course",
      "{'all':[{'order':'lenalidomide'},{'result':'creatinine','is':'at least 1.5 x baseline',"
      "'within':'7 d'}]}",
      NULL, "lenalidomide, since 20 d ago",
      "creatinine 1.0 mg/dL, 21 d ago; creatinine 0.1 mg/dL, 19 d ago; creatinine 1.5 mg/dL, now",
      NULL, 0, T, 0, 7 * DAY + 1 },
    { "the value before the course itself",
      "{'all':[{'order':'lenalidomide'},{'baseline':'creatinine','is':'above 1.4 mg/dL'}]}", NULL,
      "lenalidomide, since 20 d ago", "creatinine 1.5 mg/dL, 21 d ago; creatinine 1.0 mg/dL, now",
      NULL, 0, T, 0, NEVER },
    { "no value before the course",
      "{'all':[{'order':'lenalidomide'},{'baseline':'creatinine','is':'above 1.4 mg/dL'}]}", NULL,
      "lenalidomide, since 20 d ago", "creatinine 1.5 mg/dL, 20 d ago", NULL, 0, U, DOUBT_INPUT,
      NEVER },

    { "a computed rate at most half of that before the course",
      "{'all':[{'order':'lenalidomide'},{'result':'egfr','is':'at most 0.5 x baseline',"
      "'within':'7 d'}]}",
      "male, 60 years", "lenalidomide, since 20 d ago",
      "creatinine 1.0 mg/dL, 21 d ago; creatinine 0.5 mg/dL, 19 d ago; creatinine 2.0 mg/dL, now",
      NULL, 0, T, 0, 7 * DAY + 1 },
    { "a computed rate above half of that before the course",
      "{'all':[{'order':'lenalidomide'},{'result':'egfr','is':'at most 0.5 x baseline',"
      "'within':'7 d'}]}",
      "male, 60 years", "lenalidomide, since 20 d ago",
      "creatinine 1.0 mg/dL, 21 d ago; creatinine 1.5 mg/dL, now", NULL, 0, F, 0, 7 * DAY + 1 },
    /* (140 - 59) x 60 / (72 x 1.0) = 67.5, half of it 33.75; (140 - 60) x 60 / (72 x 2.0) = 33.3,
     * with 1.9 mg/dL 35.1; with 80 kg then 90, half of it 45, and 1.5 mg/dL now 44.4 */
    { "a clearance at most half of that before the course",
      "{'all':[{'order':'lenalidomide'},{'result':'crcl','is':'at most 0.5 x baseline',"
      "'within':'7 d'}]}",
      "male, 60 years, 60 kg, 165 cm", "lenalidomide, since 20 d ago",
      "creatinine 1.0 mg/dL, 21 d ago; creatinine 2.0 mg/dL, now", NULL, 0, T, 0, 7 * DAY + 1 },
    { "a clearance above half of that before the course",
      "{'all':[{'order':'lenalidomide'},{'result':'crcl','is':'at most 0.5 x baseline',"
      "'within':'7 d'}]}",
      "male, 60 years, 60 kg, 165 cm", "lenalidomide, since 20 d ago",
      "creatinine 1.0 mg/dL, 21 d ago; creatinine 1.9 mg/dL, now", NULL, 0, F, 0, 7 * DAY + 1 },
    { "the clearance before the course itself",
      "{'all':[{'order':'lenalidomide'},{'baseline':'crcl','is':'above 60 mL/min'}]}",
      "male, 60 years, 60 kg, 165 cm", "lenalidomide, since 20 d ago",
      "creatinine 1.0 mg/dL, 21 d ago; creatinine 2.0 mg/dL, now", NULL, 0, T, 0, NEVER },
    { "a clearance of half of that before the course, by a lower weight",
      "{'all':[{'order':'lenalidomide'},{'result':'crcl','is':'at most 0.5 x baseline',"
      "'within':'7 d'}]}",
      "male, 60 years, 165 cm", "lenalidomide, since 20 d ago",
      "creatinine 1.0 mg/dL, 21 d ago; weight 80 kg, 21 d ago; creatinine 1.5 mg/dL, now; weight "
      "60 "
      "kg, now",
      NULL, 0, T, 0, 7 * DAY + 1 },
    /* 180 cm and 80 kg are 2 m2: 50 mg are 25 mg/m2, rounded by 5 % 23.75 to 26.25 */
    { "mg as mg/m2", "{'order':'lenalidomide','single':'above 23.7 mg/m2'}", "180 cm, 80 kg",
      "lenalidomide 50 mg", NULL, NULL, 0, T, 0, 364 * DAY + 1 },
    { "mg as mg/m2, on no side of the limit when it was rounded",
      "{'order':'lenalidomide','single':'above 26 mg/m2'}", "180 cm, 80 kg", "lenalidomide 50 mg",
      NULL, NULL, 0, U, DOUBT_DOSE, 364 * DAY + 1 },
    { "mg as mg/m2, below the limit", "{'order':'lenalidomide','single':'above 26.25 mg/m2'}",
      "180 cm, 80 kg", "lenalidomide 50 mg", NULL, NULL, 0, F, 0, 364 * DAY + 1 },
    { "mg as mg/m2 without a height", "{'order':'lenalidomide','single':'above 20 mg/m2'}", "80 kg",
      "lenalidomide 50 mg", NULL, NULL, 0, U, DOUBT_DOSE, 364 * DAY + 1 },
    { "mg as mg/m2 by a weight of more than a year ago",
      "{'order':'lenalidomide','single':'above 20 mg/m2'}", "180 cm", "lenalidomide 50 mg",
      "weight 80 kg, 13 mo ago", NULL, 0, U, DOUBT_DOSE, NEVER },
    { "mg/m2 as mg: 25 x 2 x 0.95 = 47.5", "{'order':'lenalidomide','single':'at least 47.5 mg'}",
      "180 cm, 80 kg", "lenalidomide 25 mg/m2", NULL, NULL, 0, T, 0, 364 * DAY + 1 },
    { "mg as mg/kg: 80 / 80 x 1.05 = 1.05", "{'order':'lenalidomide','daily':'above 1.05 mg/kg'}",
      "80 kg", "lenalidomide 80 mg daily", NULL, NULL, 0, F, 0, 364 * DAY + 1 },
    { "mg/kg as mg: 1 x 80 x 0.95 = 76", "{'order':'lenalidomide','daily':'above 75.9 mg'}",
      "80 kg", "lenalidomide 1 mg/kg daily", NULL, NULL, 0, T, 0, 364 * DAY + 1 },
    { "mg/kg is not brought into mg/m2", "{'order':'lenalidomide','daily':'above 1 mg/m2'}",
      "180 cm, 80 kg", "lenalidomide 1 mg/kg daily", NULL, NULL, 0, U, DOUBT_DOSE, NEVER },
    { "a ceiling in mg/m2 for an order in mg",
      "{'ceiling':'lenalidomide','by':'creatinine','within':'30 d','table':[{'max':'23.7 mg/m2'}]}",
      "180 cm, 80 kg", "lenalidomide 50 mg", "creatinine 1 mg/dL, now", NULL, 0, T, 0,
      30 * DAY + 1 },
    { "a positive pregnancy test", HCG, NULL, NULL, "hcg-qual positive, 2 d ago", NULL, 0, T, 0,
      43 * DAY + 1 },
    { "a negative one after it", HCG, NULL, NULL,
      "hcg-qual positive, 2 d ago; hcg-qual negative, 1 d ago", NULL, 0, F, 0, 44 * DAY + 1 },
    { "a number that the laboratory flags positive", HCG, NULL, NULL,
      "hcg-quant 900 [IU]/L, now, flagged positive", NULL, 0, T, 0, 45 * DAY + 1 },
    { "a number that it flags negative", HCG, NULL, NULL,
      "hcg-quant 1 [IU]/L, now, flagged negative; hcg-qual positive, 1 d ago", NULL, 0, F, 0,
      45 * DAY + 1 },
    { "a number without a flag says nothing", HCG, NULL, NULL,
      "hcg-quant 900 [IU]/L, now; hcg-qual negative, 1 d ago", NULL, 0, U, DOUBT_UNREADABLE,
      45 * DAY + 1 },
    { "but takes no positive test back", HCG, NULL, NULL,
      "hcg-quant 900 [IU]/L, now; hcg-qual positive, 1 d ago", NULL, 0, T, 0, 44 * DAY + 1 },
    { "a flag that contradicts a test of the same time", HCG, NULL, NULL,
      "hcg-quant 900 [IU]/L, now, flagged positive; hcg-qual negative, now", NULL, 0, U,
      DOUBT_UNREADABLE, 45 * DAY + 1 },
    { "no pregnancy test", HCG, NULL, NULL, NULL, NULL, 0, U, DOUBT_MISSING, NEVER },
    { "any pregnancy test is one that was done", "{'noResult':'hcg','within':'ever'}", NULL, NULL,
      "hcg-quant 1 [IU]/L, now, flagged negative", NULL, 0, F, 0, NEVER },
    { "between the multiples of a reference of 9.0 to 9.8 it may be",
      "{'result':'calcium-corrected','is':'1 to 1.01 x previous','within':'7 d'}", NULL, NULL,
      "calcium 9 mg/dL, 2 d ago; albumin 4 g/dL, 2 d ago; albumin 3 g/dL, 2 d ago; calcium 9.4 "
      "mg/dL, now; albumin 4 g/dL, now",
      NULL, 0, U, DOUBT_COMPARATOR, 7 * DAY + 1 },
    { "above the multiples of a reference of 9.0 to 9.8",
      "{'result':'calcium-corrected','is':'1 to 1.01 x previous','within':'7 d'}", NULL, NULL,
      "calcium 9 mg/dL, 2 d ago; albumin 4 g/dL, 2 d ago; albumin 3 g/dL, 2 d ago; calcium 9.9 "
      "mg/dL, now; albumin 4 g/dL, now",
      NULL, 0, F, 0, 7 * DAY + 1 },
    { "a computed value that rose since the previous one",
      "{'result':'calcium-corrected','rose':'at least 1 mg/dL','since':'previous','within':'7 d'}",
      NULL, NULL,
      "calcium 9 mg/dL, 2 d ago; albumin 4 g/dL, 2 d ago; calcium 9.2 mg/dL, now; albumin 3 g/dL, "
      "now",
      NULL, 0, T, 0, 7 * DAY + 1 },
    { "a computed value that rose by less",
      "{'result':'calcium-corrected','rose':'at least 1 mg/dL','since':'previous','within':'7 d'}",
      NULL, NULL,
      "calcium 9 mg/dL, 2 d ago; albumin 4 g/dL, 2 d ago; calcium 9.1 mg/dL, now; albumin 3 g/dL, "
      "now",
      NULL, 0, F, 0, 7 * DAY + 1 },

    /* gaps */
    { "a computed value is a test that was done", "{'noResult':'egfr','within':'ever'}",
      "male, 60 years", NULL, "creatinine 1.0 mg/dL, now", NULL, 0, F, 0, NEVER },
    { "never tested", "{'noResult':'hbsag','within':'ever'}", NULL, NULL, NULL, NULL, 0, T, 0,
      NEVER },
    { "tested once", "{'noResult':'hbsag','within':'ever'}", NULL, NULL,
      "hbsag unreadable, 9 a ago", NULL, 0, F, 0, NEVER },
    { "tested without a date", "{'noResult':'hbsag','within':'ever'}", NULL, NULL,
      "hbsag negative, date unknown", NULL, 0, F, 0, NEVER },
    { "a test of tomorrow is none", "{'noResult':'hbsag','within':'ever'}", NULL, NULL,
      "hbsag negative, in 1 d", NULL, 0, T, 0, DAY },
    { "due when the course has lasted as long",
      "{'all':[{'order':'lenalidomide'},{'noResult':'neutrophils','within':'30 d'}]}", NULL,
      "lenalidomide, since 30 d ago", NULL, NULL, 0, F, 0, 1 },
    { "overdue a millisecond later",
      "{'all':[{'order':'lenalidomide'},{'noResult':'neutrophils','within':'30 d'}]}", NULL,
      "lenalidomide, since 30 d ago", NULL, NULL, 1, T, 0, NEVER },
    { "a test puts it off",
      "{'all':[{'order':'lenalidomide'},{'noResult':'neutrophils','within':'30 d'}]}", NULL,
      "lenalidomide, since 90 d ago", "neutrophils unreadable, 10 d ago", NULL, 0, F, 0,
      20 * DAY + 1 },
    { "due at once",
      "{'all':[{'order':'zoledronic-acid'},{'noResult':'creatinine','within':'7 d',"
      "'due':'at once'}]}",
      NULL, "zoledronic-acid, since 1 h ago", "creatinine 1 mg/dL, 8 d ago", NULL, 0, T, 0, NEVER },
    { "a start that is not known",
      "{'all':[{'order':'lenalidomide'},{'noResult':'neutrophils','within':'30 d'}]}", NULL,
      "lenalidomide, start unknown", NULL, NULL, 0, U, DOUBT_TIME, NEVER },
    { "only a test without a date",
      "{'all':[{'order':'lenalidomide'},{'noResult':'neutrophils','within':'30 d'}]}", NULL,
      "lenalidomide", "neutrophils 2 10*9/L, date unknown", NULL, 0, U, DOUBT_TIME, NEVER },
    { "weekly at first",
      "{'all':[{'order':'lenalidomide'},{'noResult':'neutrophils','schedule':["
      "{'until':'56 d','within':'7 d'},{'within':'28 d'}]}]}",
      NULL, "lenalidomide, since 50 d ago", "neutrophils 2 10*9/L, 8 d ago", NULL, 0, T, 0,
      6 * DAY },
    { "less often later",
      "{'all':[{'order':'lenalidomide'},{'noResult':'neutrophils','schedule':["
      "{'until':'56 d','within':'7 d'},{'within':'28 d'}]}]}",
      NULL, "lenalidomide, since 50 d ago", "neutrophils 2 10*9/L, 8 d ago", NULL, 6 * DAY, F, 0,
      20 * DAY + 1 },

    /* gaps on dose days */
    { "a gap on dose days waits for the start", DOSE_GAP, NULL,
      "zoledronic-acid 4 mg every 28 d, since in 1 d", NULL, NULL, 0, F, 0, DAY },
    { "the first dose day begins with the start", DOSE_GAP, NULL,
      "zoledronic-acid 4 mg every 28 d, since in 1 d", NULL, NULL, DAY, T, 0, 2 * DAY },
    { "it lasts almost 24 hours", DOSE_GAP, NULL, "zoledronic-acid 4 mg every 28 d, since in 1 d",
      NULL, NULL, 2 * DAY - 1, T, 0, 2 * DAY },
    { "after 24 hours it is over", DOSE_GAP, NULL, "zoledronic-acid 4 mg every 28 d, since in 1 d",
      NULL, NULL, 2 * DAY, F, 0, 29 * DAY },
    { "until the next dose nothing is asked", DOSE_GAP, NULL,
      "zoledronic-acid 4 mg every 28 d, since in 1 d", NULL, NULL, 29 * DAY - 1, F, 0, 29 * DAY },
    { "at the next dose it is", DOSE_GAP, NULL, "zoledronic-acid 4 mg every 28 d, since in 1 d",
      NULL, NULL, 29 * DAY, T, 0, 30 * DAY },
    { "after three intervals too", DOSE_GAP, NULL, "zoledronic-acid 4 mg every 28 d, since in 1 d",
      NULL, NULL, 85 * DAY, T, 0, 86 * DAY },
    { "a test before the dose fills the gap", DOSE_GAP, NULL,
      "zoledronic-acid 4 mg every 28 d, since in 1 d", "creatinine 1.0 mg/dL, now", NULL, DAY, F, 0,
      2 * DAY },
    { "a test that is too old on the dose day does not", DOSE_GAP, NULL,
      "zoledronic-acid 4 mg every 28 d, since in 1 d", "creatinine 1.0 mg/dL, now", NULL, 29 * DAY,
      T, 0, 30 * DAY },
    { "a test that is recent enough until it is not", DOSE_GAP, NULL,
      "zoledronic-acid 4 mg every 28 d, since 28 d ago", "creatinine 1.0 mg/dL, 156 h ago", NULL, 0,
      F, 0, 12 * HOUR + 1 },
    { "a test that grows too old in the course of it", DOSE_GAP, NULL,
      "zoledronic-acid 4 mg every 28 d, since 28 d ago", "creatinine 1.0 mg/dL, 156 h ago", NULL,
      12 * HOUR + 1, T, 0, DAY },
    { "without an interval it is asked all the time", DOSE_GAP, NULL,
      "zoledronic-acid 4 mg, since 10 d ago", NULL, NULL, 0, T, 0, NEVER },
    { "without a dosage too", DOSE_GAP, NULL, "zoledronic-acid, since 10 d ago", NULL, NULL, 0, T,
      0, NEVER },
    { "daily doses: all the time", DOSE_GAP, NULL, "zoledronic-acid 4 mg daily, since 10 d ago",
      NULL, NULL, 0, T, 0, NEVER },
    { "an interval of a day: all the time", DOSE_GAP, NULL,
      "zoledronic-acid 4 mg every 24 h, since 10 d ago", NULL, NULL, 0, T, 0, NEVER },
    { "an interval of an hour more has a pause", DOSE_GAP, NULL,
      "zoledronic-acid 4 mg every 25 h, since 24 h ago", NULL, NULL, 0, F, 0, HOUR },
    { "as needed: all the time", DOSE_GAP, NULL,
      "zoledronic-acid 4 mg every 28 d, since 10 d ago, as needed", NULL, NULL, 0, T, 0, NEVER },
    { "a start that is not known: all the time", DOSE_GAP, NULL,
      "zoledronic-acid 4 mg every 28 d, start unknown", NULL, NULL, 0, T, 0, NEVER },
    { "a start to the day is midnight", DOSE_GAP, NULL,
      "zoledronic-acid 4 mg every 28 d, since 28 d ago, start to the day", NULL, NULL, 0, T, 0,
      12 * HOUR },
    { "two orders: the dose day of one", DOSE_GAP, NULL,
      "zoledronic-acid 4 mg every 28 d, since 10 d ago; zoledronic-acid 4 mg every 28 d, since 28 "
      "d ago",
      NULL, NULL, 0, T, 0, DAY },
    { "two orders: no dose day", DOSE_GAP, NULL,
      "zoledronic-acid 4 mg every 28 d, since 10 d ago; zoledronic-acid 4 mg every 28 d, since 12 "
      "d ago",
      NULL, NULL, 0, F, 0, 16 * DAY },
    { "two orders, one of them without an interval", DOSE_GAP, NULL,
      "zoledronic-acid 4 mg every 28 d, since 10 d ago; zoledronic-acid 4 mg", NULL, NULL, 0, T, 0,
      NEVER },
    { "a second one is due from its start", DOSE_GAP, NULL,
      "zoledronic-acid 4 mg every 28 d, since 10 d ago; zoledronic-acid 4 mg every 28 d, since in "
      "3 d",
      NULL, NULL, 0, F, 0, 3 * DAY },
    { "one on hold has no dose day", DOSE_GAP, NULL,
      "zoledronic-acid 4 mg every 28 d, since 10 d ago; zoledronic-acid 4 mg every 28 d, since 28 "
      "d ago, held",
      NULL, NULL, 0, F, 0, 18 * DAY },
    { "one that is over has none", DOSE_GAP, NULL,
      "zoledronic-acid 4 mg every 28 d, since 10 d ago; zoledronic-acid 4 mg every 28 d, since 28 "
      "d ago, until 1 d ago",
      NULL, NULL, 0, F, 0, 18 * DAY },
    { "it counts by the calendar: 15 May, 15 June", DOSE_GAP, NULL,
      "zoledronic-acid 4 mg every 1 mo, since 31 d ago", NULL, NULL, 0, T, 0, DAY },
    { "16 May, 16 June", DOSE_GAP, NULL, "zoledronic-acid 4 mg every 1 mo, since 30 d ago", NULL,
      NULL, 0, F, 0, DAY },
    { "31 January, 30 June", DOSE_GAP, NULL, "zoledronic-acid 4 mg every 1 mo, since 135 d ago",
      NULL, NULL, 0, F, 0, 15 * DAY },
    { "and then 31 July", DOSE_GAP, NULL, "zoledronic-acid 4 mg every 1 mo, since 135 d ago", NULL,
      NULL, 16 * DAY, F, 0, 46 * DAY },
    { "on dose days, never tested",
      "{'all':[{'order':'zoledronic-acid'},{'noResult':'hbsag','within':'ever','due':'on dose "
      "days'}]}",
      NULL, "zoledronic-acid 4 mg every 28 d, since 28 d ago", NULL, NULL, 0, T, 0, DAY },
    { "between them it is not asked",
      "{'all':[{'order':'zoledronic-acid'},{'noResult':'hbsag','within':'ever','due':'on dose "
      "days'}]}",
      NULL, "zoledronic-acid 4 mg every 28 d, since 27 d ago", NULL, NULL, 0, F, 0, DAY },

    /* conditions */
    { "a condition on record", "{'condition':'multiple-myeloma'}", NULL, NULL, NULL,
      "multiple-myeloma", 0, T, 0, NEVER },
    { "not on record", "{'condition':'multiple-myeloma'}", NULL, NULL, NULL, "dialysis", 0, F, 0,
      NEVER },
    { "a past one", "{'condition':'multiple-myeloma'}", NULL, NULL, NULL, "multiple-myeloma, past",
      0, F, 0, NEVER },
    { "a past one, ever", "{'condition':'multiple-myeloma','is':'ever'}", NULL, NULL, NULL,
      "multiple-myeloma, past", 0, T, 0, NEVER },
    { "a refuted one", "{'condition':'multiple-myeloma','is':'ever'}", NULL, NULL, NULL,
      "multiple-myeloma, removed", 0, F, 0, NEVER },
    { "one that is not confirmed", "{'condition':'multiple-myeloma'}", NULL, NULL, NULL,
      "multiple-myeloma, unconfirmed", 0, U, DOUBT_STATUS, NEVER },
    { "a problem without a code", "{'condition':'multiple-myeloma'}", NULL, NULL, NULL,
      "uncoded Something", 0, U, DOUBT_UNMAPPED, NEVER },
    { "a past problem without a code", "{'condition':'multiple-myeloma'}", NULL, NULL, NULL,
      "uncoded Something, past", 0, F, 0, NEVER },
    { "a past problem without a code, ever", "{'condition':'multiple-myeloma','is':'ever'}", NULL,
      NULL, NULL, "uncoded Something, past", 0, U, DOUBT_UNMAPPED, NEVER },
    { "a problem without a code that begins tomorrow", "{'condition':'dialysis'}", NULL, NULL, NULL,
      "uncoded Something, since in 1 d", 0, F, 0, DAY },
    { "a problem without a code that began exactly so long ago",
      "{'condition':'dialysis','within':'7 d'}", NULL, NULL, NULL,
      "uncoded Something, since 7 d ago", 0, U, DOUBT_UNMAPPED, 1 },
    { "... a millisecond longer ago", "{'condition':'dialysis','within':'7 d'}", NULL, NULL, NULL,
      "uncoded Something, since 7 d ago", 1, F, 0, NEVER },
    { "absent", "{'noCondition':'dialysis'}", NULL, NULL, NULL, "multiple-myeloma", 0, T, 0,
      NEVER },
    { "perhaps absent", "{'noCondition':'dialysis'}", NULL, NULL, NULL, "uncoded Something", 0, U,
      DOUBT_UNMAPPED, NEVER },
    { "exactly so long ago", "{'condition':'dialysis','within':'7 d'}", NULL, NULL, NULL,
      "dialysis, since 7 d ago", 0, T, 0, 1 },
    { "a millisecond longer ago", "{'condition':'dialysis','within':'7 d'}", NULL, NULL, NULL,
      "dialysis, since 7 d ago", 1, F, 0, NEVER },
    { "nobody knows when", "{'condition':'dialysis','within':'7 d'}", NULL, NULL, NULL, "dialysis",
      0, U, DOUBT_TIME, NEVER },
    { "it begins tomorrow", "{'condition':'dialysis'}", NULL, NULL, NULL, "dialysis, since in 1 d",
      0, F, 0, DAY },
    { "no allergy", "{'allergy':'lenalidomide'}", NULL, NULL, NULL, NULL, 0, F, 0, NEVER },

    /* what no code can become is not known, until it is on record all the same */
    { "a condition that no code maps to", "{'condition':'dehydration'}", NULL, NULL, NULL, NULL, 0,
      U, DOUBT_UNMAPPED, NEVER },
    { "nor is it absent", "{'noCondition':'dehydration'}", NULL, NULL, NULL, NULL, 0, U,
      DOUBT_UNMAPPED, NEVER },
    { "a record of it counts", "{'condition':'dehydration'}", NULL, NULL, NULL, "dehydration", 0, T,
      0, NEVER },
    { "and a record of it is no absence", "{'noCondition':'dehydration'}", NULL, NULL, NULL,
      "dehydration", 0, F, 0, NEVER },
    { "beside a concept that has codes it is absent", "{'condition':['dehydration','dialysis']}",
      NULL, NULL, NULL, NULL, 0, F, 0, NEVER },
    { "two that no code maps to", "{'condition':['dehydration','high-bcl2']}", NULL, NULL, NULL,
      NULL, 0, U, DOUBT_UNMAPPED, NEVER },
    { "one that begins tomorrow is not known until then", "{'condition':'dehydration'}", NULL, NULL,
      NULL, "dehydration, since in 1 d", 0, U, DOUBT_UNMAPPED, DAY },
    { "a result that no code maps to",
      "{'result':'neuropathy-grade','is':'at least 2 {CTCAE_grade}','within':'30 d'}", NULL, NULL,
      NULL, NULL, 0, U, DOUBT_UNMAPPED, NEVER },
    { "a value of it counts",
      "{'result':'neuropathy-grade','is':'at least 2 {CTCAE_grade}','within':'30 d'}", NULL, NULL,
      "neuropathy-grade 2 {CTCAE_grade}, now", NULL, 0, T, 0, 30 * DAY + 1 },
    { "a test that no code maps to is not overdue",
      "{'all':[{'order':'lenalidomide'},{'noResult':'eye-exam','within':'21 d'}]}", NULL,
      "lenalidomide, since 90 d ago", NULL, NULL, 0, U, DOUBT_UNMAPPED, NEVER },
    { "nor was it never done", "{'noResult':'eye-exam','within':'ever'}", NULL, NULL, NULL, NULL, 0,
      U, DOUBT_UNMAPPED, NEVER },
    { "it was done when it is on record", "{'noResult':'eye-exam','within':'ever'}", NULL, NULL,
      "eye-exam negative, 9 a ago", NULL, 0, F, 0, NEVER },
    { "what no code maps to may be computable",
      "{'notComputable':'neuropathy-grade','within':'30 d'}", NULL, NULL, NULL, NULL, 0, U,
      DOUBT_UNMAPPED, NEVER },
    { "a ceiling by what no code maps to",
      "{'ceiling':'lenalidomide','by':'neuropathy-grade','within':'30 d','table':[{'max':'5 mg "
      "daily'}]}",
      NULL, "lenalidomide 10 mg daily", NULL, NULL, 0, U, DOUBT_UNMAPPED, NEVER },

    /* the profile */
    { "the profile is us when nobody says another", "{'profile':'us'}", NULL, NULL, NULL, NULL, 0,
      T, 0, NEVER },
    { "then it is not eu", "{'profile':'eu'}", NULL, NULL, NULL, NULL, 0, F, 0, NEVER },

    /* age, sex: NOW is 2026-06-15T12:00Z, birthdays of the fixture at its midnight */
    { "above an age", "{'age':'above 60 a'}", "61 years", NULL, NULL, NULL, 0, T, 0,
      365 * DAY - 12 * HOUR },
    { "exactly an age is not above it", "{'age':'above 60 a'}", "60 years", NULL, NULL, NULL, 0, F,
      0, 365 * DAY - 12 * HOUR },
    { "at the birthday", "{'age':'above 60 a'}", "60 years", NULL, NULL, NULL,
      365 * DAY - 12 * HOUR, T, 0, 731 * DAY - 12 * HOUR },
    { "an age that is not known", "{'age':'above 60 a'}", NULL, NULL, NULL, NULL, 0, U, DOUBT_INPUT,
      NEVER },
    { "female", "{'sex':'female'}", "female", NULL, NULL, NULL, 0, T, 0, NEVER },
    { "male is not female", "{'sex':'female'}", "male", NULL, NULL, NULL, 0, F, 0, NEVER },
    { "a sex that is not recorded", "{'sex':'female'}", NULL, NULL, NULL, NULL, 0, U, DOUBT_INPUT,
      NEVER },

    /* courses */
    { "exactly so long is not above it", "{'course':'lenalidomide','is':'above 28 d'}", NULL,
      "lenalidomide, since 28 d ago", NULL, NULL, 0, F, 0, 1 },
    { "a millisecond longer is", "{'course':'lenalidomide','is':'above 28 d'}", NULL,
      "lenalidomide, since 28 d ago", NULL, NULL, 1, T, 0, NEVER },
    { "a millisecond less than at least", "{'course':'lenalidomide','is':'at least 28 d'}", NULL,
      "lenalidomide, since 27 d ago", NULL, NULL, DAY - 1, F, 0, DAY },
    { "at least", "{'course':'lenalidomide','is':'at least 28 d'}", NULL,
      "lenalidomide, since 28 d ago", NULL, NULL, 0, T, 0, NEVER },
    { "orders with a short pause are one course", "{'course':'lenalidomide','is':'at least 80 d'}",
      NULL, "lenalidomide, since 80 d ago, until 48 d ago; lenalidomide, since 20 d ago", NULL,
      NULL, 0, T, 0, NEVER },
    { "a longer pause begins another", "{'course':'lenalidomide','is':'at least 80 d'}", NULL,
      "lenalidomide, since 80 d ago, until 49 d ago; lenalidomide, since 20 d ago", NULL, NULL, 0,
      F, 0, 60 * DAY },
    { "eye drops are no course", "{'course':'dexamethasone','is':'above 1 d'}", NULL,
      "dexamethasone, local", NULL, NULL, 0, F, 0, NEVER },
    { "no order, no course", "{'course':'lenalidomide','is':'below 28 d'}", NULL, NULL, NULL, NULL,
      0, F, 0, NEVER },
    { "a planned course has not begun", "{'course':'lenalidomide','is':'below 28 d'}", NULL,
      "lenalidomide, since in 1 d", NULL, NULL, 0, F, 0, DAY },
    { "an order that is over and does not say when it began may have been a course",
      "{'course':'lenalidomide','is':'below 28 d'}", NULL, "lenalidomide, start unknown, stopped",
      NULL, NULL, 0, U, DOUBT_TIME, NEVER },
    { "a course that began nobody knows when", "{'course':'lenalidomide','is':'below 28 d'}", NULL,
      "lenalidomide, start unknown", NULL, NULL, 0, U, DOUBT_TIME, NEVER },
    { "at the start of a cycle", "{'cycleStart':'lenalidomide','cycle':'28 d','within':'3 d'}",
      NULL, "lenalidomide, since 28 d ago", NULL, NULL, 0, T, 0, 3 * DAY },
    { "behind the start of a cycle", "{'cycleStart':'lenalidomide','cycle':'28 d','within':'3 d'}",
      NULL, "lenalidomide, since 28 d ago", NULL, NULL, 3 * DAY, F, 0, 28 * DAY },

    /* ceilings */
    { "the dose is the maximum",
      "{'ceiling':'lenalidomide','by':'creatinine','within':'30 d','table':["
      "{'when':'below 2 mg/dL','max':'25 mg daily'},{'max':'10 mg daily'}]}",
      NULL, "lenalidomide 25 mg daily", "creatinine 1.9 mg/dL, now", NULL, 0, F, 0, 30 * DAY + 1 },
    { "above the maximum of the row",
      "{'ceiling':'lenalidomide','by':'creatinine','within':'30 d','table':["
      "{'when':'below 2 mg/dL','max':'25 mg daily'},{'max':'10 mg daily'}]}",
      NULL, "lenalidomide 25 mg daily", "creatinine 2 mg/dL, now", NULL, 0, T, 0, 30 * DAY + 1 },
    { "rows that may fit, and the dose is between their maxima",
      "{'ceiling':'lenalidomide','by':'creatinine','within':'30 d','table':["
      "{'when':'below 2 mg/dL','max':'25 mg daily'},{'max':'10 mg daily'}]}",
      NULL, "lenalidomide 25 mg daily", "creatinine >1 mg/dL, now", NULL, 0, U, DOUBT_COMPARATOR,
      30 * DAY + 1 },
    { "rows that may fit, and the dose is above all of them",
      "{'ceiling':'lenalidomide','by':'creatinine','within':'30 d','table':["
      "{'when':'below 2 mg/dL','max':'25 mg daily'},{'max':'10 mg daily'}]}",
      NULL, "lenalidomide 30 mg daily", "creatinine >1 mg/dL, now", NULL, 0, T, 0, 30 * DAY + 1 },
    { "rows that leave no gap, and the dose is above all of them",
      "{'ceiling':'lenalidomide','by':'creatinine','within':'30 d','table':["
      "{'when':'2 to 5 mg/dL','max':'10 mg daily'},{'when':'above 5 mg/dL','max':'5 mg daily'}]}",
      NULL, "lenalidomide 15 mg daily", "creatinine >3 mg/dL, now", NULL, 0, T, 0, 30 * DAY + 1 },
    { "rows that leave no gap, and the dose is between their maxima",
      "{'ceiling':'lenalidomide','by':'creatinine','within':'30 d','table':["
      "{'when':'2 to 5 mg/dL','max':'10 mg daily'},{'when':'above 5 mg/dL','max':'5 mg daily'}]}",
      NULL, "lenalidomide 8 mg daily", "creatinine >3 mg/dL, now", NULL, 0, U, DOUBT_COMPARATOR,
      30 * DAY + 1 },
    { "rows that leave no gap, and the dose is within all of them",
      "{'ceiling':'lenalidomide','by':'creatinine','within':'30 d','table':["
      "{'when':'2 to 5 mg/dL','max':'10 mg daily'},{'when':'above 5 mg/dL','max':'5 mg daily'}]}",
      NULL, "lenalidomide 5 mg daily", "creatinine >3 mg/dL, now", NULL, 0, F, 0, 30 * DAY + 1 },
    { "rows with a gap that the value may lie in",
      "{'ceiling':'lenalidomide','by':'creatinine','within':'30 d','table':["
      "{'when':'2 to 5 mg/dL','max':'10 mg daily'},{'when':'above 6 mg/dL','max':'5 mg daily'}]}",
      NULL, "lenalidomide 15 mg daily", "creatinine >3 mg/dL, now", NULL, 0, U, DOUBT_COMPARATOR,
      30 * DAY + 1 },
    { "a value that may lie below all rows",
      "{'ceiling':'lenalidomide','by':'creatinine','within':'30 d','table':["
      "{'when':'2 to 5 mg/dL','max':'10 mg daily'},{'when':'above 5 mg/dL','max':'5 mg daily'}]}",
      NULL, "lenalidomide 15 mg daily", "creatinine >1 mg/dL, now", NULL, 0, U, DOUBT_COMPARATOR,
      30 * DAY + 1 },
    { "a value that the table leaves out",
      "{'ceiling':'lenalidomide','by':'creatinine','within':'30 d','table':["
      "{'when':'above 2 mg/dL','max':'10 mg daily'}]}",
      NULL, "lenalidomide 30 mg daily", "creatinine 2 mg/dL, now", NULL, 0, F, 0, 30 * DAY + 1 },
    { "no more at once, nor on average",
      "{'ceiling':'lenalidomide','by':'creatinine','within':'30 d','table':["
      "{'max':'15 mg every 48 h'}]}",
      NULL, "lenalidomide 10 mg daily", "creatinine 2 mg/dL, now", NULL, 0, T, 0, 30 * DAY + 1 },
    { "a dose that is not known",
      "{'ceiling':'lenalidomide','by':'creatinine','within':'30 d','table':[{'max':'5 mg daily'}]}",
      NULL, "lenalidomide, dose unknown", "creatinine 2 mg/dL, now", NULL, 0, U, DOUBT_DOSE,
      30 * DAY + 1 },
    { "an order whose status is not known",
      "{'ceiling':'lenalidomide','by':'creatinine','within':'30 d','table':[{'max':'5 mg daily'}]}",
      NULL, "lenalidomide 10 mg daily, status unknown", "creatinine 2 mg/dL, now", NULL, 0, U,
      DOUBT_STATUS, 30 * DAY + 1 },
    { "two orders that together are too much may replace each other",
      "{'ceiling':'lenalidomide','by':'creatinine','within':'30 d','table':[{'max':'15 mg "
      "daily'}]}",
      NULL, "lenalidomide 10 mg daily; lenalidomide 15 mg daily", "creatinine 2 mg/dL, now", NULL,
      0, U, DOUBT_DOSE, 30 * DAY + 1 },
    { "a drug that is not known may be the one",
      "{'ceiling':'lenalidomide','by':'creatinine','within':'30 d','table':[{'max':'5 mg daily'}]}",
      NULL, "unmapped Pill", "creatinine 2 mg/dL, now", NULL, 0, U, DOUBT_UNMAPPED, 30 * DAY + 1 },
    { "a larger dose begins tomorrow",
      "{'ceiling':'lenalidomide','by':'creatinine','within':'30 d','table':[{'max':'5 mg daily'}]}",
      NULL, "lenalidomide 10 mg daily, since in 1 d", "creatinine 2 mg/dL, now", NULL, 0, F, 0,
      DAY },
    { "no result for the table",
      "{'ceiling':'lenalidomide','by':'creatinine','within':'30 d','table':[{'max':'5 mg daily'}]}",
      NULL, "lenalidomide 10 mg daily", "creatinine 2 mg/dL, 31 d ago", NULL, 0, U, DOUBT_STALE,
      NEVER },
    { "a row that has another condition",
      "{'ceiling':'lenalidomide','by':'creatinine','within':'30 d','table':["
      "{'and':{'noCondition':'dialysis'},'max':'15 mg daily'},{'max':'5 mg daily'}]}",
      NULL, "lenalidomide 10 mg daily", "creatinine 2 mg/dL, now", "dialysis", 0, T, 0,
      30 * DAY + 1 },
    { "a row by a multiple of the upper limit",
      "{'ceiling':'lenalidomide','by':'alt','within':'30 d','table':["
      "{'when':'at most 1.5 x upper limit','max':'25 mg daily'},{'max':'10 mg daily'}]}",
      NULL, "lenalidomide 25 mg daily", "alt 60 U/L, now, upper 40 U/L", NULL, 0, F, 0,
      30 * DAY + 1 },
    { "just above the multiple",
      "{'ceiling':'lenalidomide','by':'alt','within':'30 d','table':["
      "{'when':'at most 1.5 x upper limit','max':'25 mg daily'},{'max':'10 mg daily'}]}",
      NULL, "lenalidomide 25 mg daily", "alt 60.1 U/L, now, upper 40 U/L", NULL, 0, T, 0,
      30 * DAY + 1 },
    { "a multiple of an upper limit that is not given",
      "{'ceiling':'lenalidomide','by':'alt','within':'30 d','table':["
      "{'when':'at most 1.5 x upper limit','max':'25 mg daily'},{'max':'10 mg daily'}]}",
      NULL, "lenalidomide 25 mg daily", "alt 60.1 U/L, now", NULL, 0, U, DOUBT_INPUT,
      30 * DAY + 1 },
    { "the table is asked only above a multiple",
      "{'ceiling':'lenalidomide','by':'alt','is':'above 3 x upper limit','within':'30 d',"
      "'table':[{'max':'10 mg daily'}]}",
      NULL, "lenalidomide 25 mg daily", "alt 120 U/L, now, upper 40 U/L", NULL, 0, F, 0,
      30 * DAY + 1 },
    { "a row by age",
      "{'ceiling':'dexamethasone','by':'age','table':["
      "{'when':'at most 75 a','max':'40 mg'},{'max':'20 mg'}]}",
      "75 years", "dexamethasone 40 mg every 7 d", NULL, NULL, 0, F, 0, 365 * DAY - 12 * HOUR },
    { "a year older",
      "{'ceiling':'dexamethasone','by':'age','table':["
      "{'when':'at most 75 a','max':'40 mg'},{'max':'20 mg'}]}",
      "75 years", "dexamethasone 40 mg every 7 d", NULL, NULL, 365 * DAY - 12 * HOUR, T, 0,
      731 * DAY - 12 * HOUR },
    { "a table by an age that is not known",
      "{'ceiling':'dexamethasone','by':'age','is':'above 75 a','table':[{'max':'20 mg'}]}", NULL,
      "dexamethasone 40 mg every 7 d", NULL, NULL, 0, U, DOUBT_INPUT, NEVER },
    { "not computable without a weight", "{'notComputable':'crcl','within':'30 d'}",
      "female, 72 years", NULL, "creatinine 1.5 mg/dL, now", NULL, 0, T, 0, 30 * DAY + 1 },
    { "computable", "{'notComputable':'crcl','within':'30 d'}", "female, 72 years, 60 kg", NULL,
      "creatinine 1.5 mg/dL, now", NULL, 0, F, 0, 30 * DAY + 1 },

    /* clauses of clauses */
    { "all: one is false", "{'all':[{'sex':'female'},{'age':'above 60 a'}]}", "male", NULL, NULL,
      NULL, 0, F, 0, NEVER },
    { "all: one is not known", "{'all':[{'sex':'female'},{'age':'above 60 a'}]}", "female", NULL,
      NULL, NULL, 0, U, DOUBT_INPUT, NEVER },
    { "all: false until the last of the false ones changes",
      "{'all':[{'noOrder':'lenalidomide'},{'noOrder':'naproxen'},"
      "{'noResult':'hbsag','within':'ever'}]}",
      NULL, "lenalidomide, until in 1 d; naproxen, until in 3 d", "hbsag positive, in 1 h", NULL, 0,
      F, 0, 3 * DAY },
    { "any: one is true", "{'any':[{'sex':'female'},{'age':'above 60 a'}]}", "female", NULL, NULL,
      NULL, 0, T, 0, NEVER },
    { "any: one is not known", "{'any':[{'sex':'female'},{'age':'above 60 a'}]}", "male", NULL,
      NULL, NULL, 0, U, DOUBT_INPUT, NEVER },
    { "any of any", "{'any':[{'any':[{'sex':'female'}]},{'any':[{'any':[{'sex':'male'}]}]}]}",
      "male", NULL, NULL, NULL, 0, T, 0, NEVER },
    { "two of three",
      "{'atLeast':2,'of':[{'sex':'female'},{'age':'above 60 a'},"
      "{'condition':'dialysis'}]}",
      "female", NULL, NULL, "dialysis", 0, T, 0, NEVER },
    { "perhaps two of three",
      "{'atLeast':2,'of':[{'sex':'female'},{'age':'above 60 a'},"
      "{'condition':'dialysis'}]}",
      "female", NULL, NULL, NULL, 0, U, DOUBT_INPUT, NEVER },
    { "one of three",
      "{'atLeast':2,'of':[{'sex':'female'},{'age':'above 60 a'},"
      "{'condition':'dialysis'}]}",
      "female, 50 years", NULL, NULL, NULL, 0, F, 0, 365 * DAY - 12 * HOUR },
    { "not true", "{'not':{'sex':'female'}}", "female", NULL, NULL, NULL, 0, F, 0, NEVER },
    { "not false", "{'not':{'sex':'female'}}", "male", NULL, NULL, NULL, 0, T, 0, NEVER },
    { "not unknown", "{'not':{'sex':'female'}}", NULL, NULL, NULL, NULL, 0, U, DOUBT_INPUT, NEVER },
    { "unless something true", "{'unless':{'sex':'female'},'note':'N.'}", "female", NULL, NULL,
      NULL, 0, F, 0, NEVER },
    { "unless something false", "{'unless':{'sex':'female'},'note':'N.'}", "male", NULL, NULL, NULL,
      0, T, 0, NEVER },
    { "unless something that is not known: it holds, and says so",
      "{'unless':{'sex':'female'},'note':'N.'}", NULL, NULL, NULL, NULL, 0, T, 0, NEVER },
    { "perhaps, when something is true", "{'maybe':{'sex':'female'},'note':'N.'}", "female", NULL,
      NULL, NULL, 0, U, DOUBT_INPUT, NEVER },
    { "not even perhaps", "{'maybe':{'sex':'female'},'note':'N.'}", "male", NULL, NULL, NULL, 0, F,
      0, NEVER },
    { "a named clause", "{'definition':'woman'}", "female", NULL, NULL, NULL, 0, T, 0, NEVER },
};

static struct knowledge *load_clause(const char *when)
{
    AUTO(buf_done) struct buf rule = { 0 };

    buf_printf(&rule, "{'id':'r','when':%s," RULE_REST "}", when);
    return fixture_load(buf_string(&rule), "{'definitions':{'woman':{'sex':'female'}}}");
}

static void check_clause(void **state)
{
    const struct clause_case *c = *state;
    AUTO(knowledge_free) struct knowledge *knowledge = load_clause(c->when);
    AUTO(chart_free)
    struct chart *chart =
        fixture_chart(knowledge, c->patient, c->orders, c->results, c->conditions);
    AUTO(evaluation_free)
    struct evaluation *evaluation = evaluate(knowledge, chart, NOW + c->at_ms, NULL);
    const struct answer *got = &evaluation->verdicts[0].answer;

    assert_int_equal(evaluation->verdict_count, 1);
    assert_int_equal(got->truth, c->want);
    assert_int_equal(got->doubts, c->doubts);
    assert_int_equal(got->next_ms == NEVER ? NEVER : got->next_ms - NOW, c->next_ms);
}

/* ---- several rules, subjects, what yields: every verdict as "rule|subjects truth marks" */

#define REST_WITHOUT_DISPLAY                                                                       \
    "'kind':'dose-hold','title':'T','severity':'high','severityBasis':'b','code':'LAB',"           \
    "'mechanism':'M.','recommendation':'R.','sources':[{'document':'D'}],"                         \
    "'verification':{'grade':'verified'},'cases':[{'name':'n','then':'silent'}]"
#define RULE_WITH(id, more, when)                                                                  \
    "{'id':'" id "'," more ",'when':" when "," REST_WITHOUT_DISPLAY "}"
#define RULE_AND(id, more, when) RULE_WITH(id, "'display':'passive'," more, when)

#define LOW_COUNT "{'result':'neutrophils','is':'below 1.0 10*9/L','within':'14 d'}"
#define NO_NSAID  "{'noOrder':'class:nsaid'}"
#define EVERY_DRUG                                                                                 \
    "{'order':['lenalidomide','pomalidomide','thalidomide','dexamethasone','naproxen',"            \
    "'ibuprofen','ciprofloxacin','rifampin','zoledronic-acid']}"

static const struct verdict_case {
    const char *name;
    const char *rules;
    const char *orders, *results;
    const char *open; /* identity of an open alert, NULL: none */
    const char *want;
} verdicts[] = {
    { "each drug of a class is a finding of its own", RULE("r", "{'order':'class:nsaid'}"),
      "naproxen; ibuprofen", NULL, NULL, "r|naproxen true; r|ibuprofen true; " },
    { "two orders for one drug are one", RULE("r", "{'order':'class:nsaid'}"), "naproxen; naproxen",
      NULL, NULL, "r|naproxen true; " },
    { "a drug without an order is no subject", RULE("r", "{'order':'class:nsaid'}"), NULL, NULL,
      NULL, "r| false; " },
    { "every pair", RULE("r", "{'all':[{'order':'class:imid'},{'order':'class:nsaid'}]}"),
      "lenalidomide; thalidomide; naproxen", NULL, NULL,
      "r|lenalidomide,naproxen true; r|naproxen,thalidomide true; " },
    { "no drug is its own partner",
      RULE("r", "{'all':[{'order':'class:imid'},{'order':'class:imid'}]}"), "lenalidomide", NULL,
      NULL, "r|lenalidomide false; " },
    { "but an order that nobody knows may be the partner",
      RULE("r", "{'all':[{'order':'class:imid'},{'order':'class:imid'}]}"),
      "lenalidomide; unmapped Pill", NULL, NULL, "r|lenalidomide unknown; " },
    { "a with b is b with a", RULE("r", "{'all':[{'order':'class:imid'},{'order':'class:imid'}]}"),
      "lenalidomide; thalidomide", NULL, NULL, "r|lenalidomide,thalidomide true; " },
    { "and the stronger of the two ways counts",
      RULE("r", "{'all':[{'order':'class:imid'},{'order':'class:imid'},"
                "{'noResult':'neutrophils','within':'30 d'}]}"),
      "lenalidomide, since 10 d ago; thalidomide, since 60 d ago", NULL, NULL,
      "r|lenalidomide,thalidomide true; " },
    { "drugs taken together are no subject",
      RULE("r", "{'all':[{'order':'lenalidomide'},{'order':'class:nsaid','as':'together'}]}"),
      "lenalidomide; naproxen; ibuprofen", NULL, NULL, "r|lenalidomide true; " },
    { "drugs that are counted neither", RULE("r", "{'order':'class:imid','different':2}"),
      "lenalidomide; thalidomide; pomalidomide", NULL, NULL, "r| true; " },
    { "more pairs than can be told apart are one finding, not some",
      RULE("r", "{'all':[" EVERY_DRUG "," EVERY_DRUG "," EVERY_DRUG "," EVERY_DRUG "]}"),
      "lenalidomide; pomalidomide; thalidomide; dexamethasone; naproxen; ibuprofen; ciprofloxacin; "
      "rifampin; zoledronic-acid",
      NULL, NULL, "r| true; " },

    { "a rule that is off says nothing", RULE_AND("r", "'mode':'off'", "{'order':'class:nsaid'}"),
      "naproxen", NULL, NULL, "" },
    { "a shadow is quiet", RULE_AND("r", "'mode':'shadow'", "{'order':'class:nsaid'}"), "naproxen",
      NULL, NULL, "r|naproxen true quiet; " },
    { "a rule that was checked and is harmless is quiet",
      RULE_AND("r", "'verdict':'checked-none-known'", "{'order':'class:nsaid'}"), "naproxen", NULL,
      NULL, "r|naproxen true quiet; " },
    { "what is not shown is quiet",
      RULE_WITH("r", "'display':'suppressed'", "{'order':'class:nsaid'}"), "naproxen", NULL, NULL,
      "r|naproxen true quiet; " },
    { "shown less where a clause is false",
      RULE_WITH("r",
                "'display':{'interruptive':{'order':'dexamethasone'},'otherwise':'suppressed'}",
                "{'order':'class:nsaid'}"),
      "naproxen", NULL, NULL, "r|naproxen true quiet; " },
    { "shown where that cannot be told",
      RULE_WITH("r",
                "'display':{'interruptive':{'order':'dexamethasone'},'otherwise':'suppressed'}",
                "{'order':'class:nsaid'}"),
      "naproxen; unmapped Pill", NULL, NULL, "r|naproxen true; " },
    { "shown as little there where the rule says so",
      RULE_WITH("r",
                "'display':{'interruptive':{'order':'dexamethasone'},'whenUnknown':'suppressed',"
                "'otherwise':'suppressed'}",
                "{'order':'class:nsaid'}"),
      "naproxen; unmapped Pill", NULL, NULL, "r|naproxen true quiet; " },

    { "a weaker finding yields",
      RULE_AND("weak", "'yieldsTo':['strong']",
               LOW_COUNT) "," RULE("strong", "{'all':[{'order':'lenalidomide'}," LOW_COUNT "]}"),
      "lenalidomide", "neutrophils 0.4 10*9/L, now", NULL,
      "weak| true > strong; strong|lenalidomide true; " },
    { "not to one that does not hold",
      RULE_AND("weak", "'yieldsTo':['strong']",
               LOW_COUNT) "," RULE("strong", "{'all':[{'order':'lenalidomide'}," LOW_COUNT "]}"),
      NULL, "neutrophils 0.4 10*9/L, now", NULL, "weak| true; strong| false; " },
    { "not to one that shares no fact",
      RULE_AND("weak", "'yieldsTo':['strong']", LOW_COUNT) "," RULE("strong",
                                                                    "{'order':'lenalidomide'}"),
      "lenalidomide", "neutrophils 0.4 10*9/L, now", NULL,
      "weak| true; strong|lenalidomide true; " },
    { "the absence of the same drugs is a fact that both rest on",
      RULE_AND("weak", "'yieldsTo':['strong']",
               "{'all':[{'order':'lenalidomide'}," NO_NSAID
               "]}") "," RULE("strong", "{'all':[{'order':'thalidomide'}," NO_NSAID "]}"),
      "lenalidomide; thalidomide", NULL, NULL,
      "weak|lenalidomide true > strong; strong|thalidomide true; " },
    { "the absence of some of them is another one",
      RULE_AND(
          "weak", "'yieldsTo':['strong']",
          "{'all':[{'order':'lenalidomide'},{'noOrder':'naproxen'}]}") "," RULE("strong",
                                                                                "{'all':[{'order':'"
                                                                                "thalidomide'}"
                                                                                "," NO_NSAID "]}"),
      "lenalidomide; thalidomide", NULL, NULL,
      "weak|lenalidomide true; strong|thalidomide true; " },
    { "not to one that is not shown: it would be lost",
      RULE_AND("weak", "'yieldsTo':['strong']", LOW_COUNT) "," RULE_AND("strong", "'mode':'shadow'",
                                                                        LOW_COUNT),
      NULL, "neutrophils 0.4 10*9/L, now", NULL, "weak| true; strong| true quiet; " },
    { "down a chain to the last",
      RULE_AND("a", "'yieldsTo':['b']", LOW_COUNT) "," RULE_AND("b", "'yieldsTo':['c']",
                                                                LOW_COUNT) "," RULE("c", LOW_COUNT),
      NULL, "neutrophils 0.4 10*9/L, now", NULL, "a| true > c; b| true > c; c| true; " },
    { "whatever the order of the rules",
      RULE("c", LOW_COUNT) "," RULE_AND("b", "'yieldsTo':['c']",
                                        LOW_COUNT) "," RULE_AND("a", "'yieldsTo':['b']", LOW_COUNT),
      NULL, "neutrophils 0.4 10*9/L, now", NULL, "c| true; b| true > c; a| true > c; " },
    { "two that yield to each other leave one",
      RULE_AND("a", "'yieldsTo':['b']", LOW_COUNT) "," RULE_AND("b", "'yieldsTo':['a']", LOW_COUNT),
      NULL, "neutrophils 0.4 10*9/L, now", NULL, "a| true > b; b| true; " },

#define HYSTERESIS                                                                                 \
    RULE_AND("r",                                                                                  \
             "'persists':{'all':[{'order':'lenalidomide','is':'active or held'},"                  \
             "{'result':'platelets','is':'below 50 10*9/L','within':'14 d'}]}",                    \
             "{'all':[{'order':'lenalidomide'},"                                                   \
             "{'result':'platelets','is':'below 25 10*9/L','within':'14 d'}]}")
    { "between trigger and resume value nothing is raised", HYSTERESIS, "lenalidomide",
      "platelets 40 10*9/L, now", NULL, "r|lenalidomide false; " },
    { "what is open lasts", HYSTERESIS, "lenalidomide", "platelets 40 10*9/L, now",
      "case|r|lenalidomide", "r|lenalidomide false lasts; " },
    { "also when the drug is on hold", HYSTERESIS, "lenalidomide, held", "platelets 40 10*9/L, now",
      "case|r|lenalidomide", "r| false; r|lenalidomide false lasts; " },
    { "until the resume value", HYSTERESIS, "lenalidomide, held", "platelets 50 10*9/L, now",
      "case|r|lenalidomide", "r| false; r|lenalidomide false; " },
    { "until the drug ends", HYSTERESIS, "lenalidomide, stopped", "platelets 40 10*9/L, now",
      "case|r|lenalidomide", "r| false; r|lenalidomide false; " },
    { "and it may not be possible to tell", HYSTERESIS, "lenalidomide, held",
      "platelets unreadable, now", "case|r|lenalidomide",
      "r| false; r|lenalidomide false perhaps; " },
    { "an open alert is asked about with its own subject", RULE("r", "{'order':'class:nsaid'}"),
      "unmapped Pill", NULL, "case|r|naproxen", "r| unknown; r|naproxen unknown; " },
    { "with its own subjects", RULE("r", "{'all':[{'order':'class:imid'},{'order':'class:imid'}]}"),
      "lenalidomide", NULL, "case|r|lenalidomide,thalidomide",
      "r|lenalidomide false; r|lenalidomide,thalidomide false; " },
    { "an alert of another rule is none of this one's", RULE("r", "{'order':'class:nsaid'}"), NULL,
      NULL, "case|rr|naproxen", "r| false; " },
    { "nor is a text that is no identity", RULE("r", "{'order':'class:nsaid'}"), NULL, NULL, "case",
      "r| false; " },
};

static void verdict_write(const struct verdict *verdict, struct buf *out)
{
    static const char *const truths[] = { "false", "unknown", "true" };

    buf_printf(out, "%s %s", strchr(verdict->identity, '|') + 1, truths[verdict->answer.truth]);
    if (verdict->quiet) buf_text(out, " quiet");
    if (verdict->persists) buf_text(out, " lasts");
    if (verdict->lasting.truth == TRUTH_UNKNOWN) buf_text(out, " perhaps");
    if (verdict->merged_into) buf_printf(out, " > %s", verdict->merged_into->rule->id);
    buf_text(out, "; ");
}

static void check_verdict(void **state)
{
    const struct verdict_case *c = *state;
    AUTO(knowledge_free) struct knowledge *knowledge = fixture_load(c->rules, NULL);
    AUTO(chart_free)
    struct chart *chart = fixture_chart(knowledge, NULL, c->orders, c->results, NULL);
    struct eval_options options = { .open = &c->open, .open_count = c->open != NULL };
    AUTO(evaluation_free) struct evaluation *evaluation = evaluate(knowledge, chart, NOW, &options);
    AUTO(buf_done) struct buf got = { 0 };

    for (size_t i = 0; i < evaluation->verdict_count; i++)
        verdict_write(&evaluation->verdicts[i], &got);
    assert_string_equal(buf_string(&got), c->want);
}

/* ---- what the words of cases cannot say */

static struct answer answer_at(const struct knowledge *knowledge, const struct chart *chart,
                               int64_t now_ms)
{
    AUTO(evaluation_free) struct evaluation *evaluation = evaluate(knowledge, chart, now_ms, NULL);

    return evaluation->verdicts[0].answer;
}

#define AGE_ABOVE_60 "{'age':'above 60 a'}"

static const struct birth_case {
    const char *name;
    const char *birth, *now;
    enum truth want;
    const char *next;
} births[] = {
    { "a year alone: both ages on the same side", "1960", "2026-06-15T12:00:00Z", T,
      "2026-12-31T00:00:00Z" },
    { "a year alone: the ages are on different sides", "1965", "2026-06-15T12:00:00Z", U,
      "2026-12-31T00:00:00Z" },
    { "a month alone", "1965-06", "2026-06-15T12:00:00Z", U, "2026-06-30T00:00:00Z" },
    { "the birthday itself", "1965-06-15", "2026-06-15T00:00:00Z", T, "2027-06-15T00:00:00Z" },
    { "a millisecond before", "1965-06-15", "2026-06-14T23:59:59.999Z", F, "2026-06-15T00:00:00Z" },
    { "a leap day's birthday is on 1 March", "1964-02-29", "2025-02-28T23:00:00Z", F,
      "2025-03-01T00:00:00Z" },
    { "and on the leap day itself", "1964-02-29", "2028-02-28T23:00:00Z", T,
      "2028-02-29T00:00:00Z" },
    { "not born yet", "2026-07", "2026-06-15T12:00:00Z", U, "" },
};

static void check_birth(void **state)
{
    const struct birth_case *c = *state;
    AUTO(knowledge_free) struct knowledge *knowledge = fixture_load(RULE("r", AGE_ABOVE_60), NULL);
    AUTO(chart_free) struct chart *chart = fixture_chart(knowledge, NULL, NULL, NULL, NULL);
    struct answer answer;
    struct span now;
    char next[32];

    assert_true(instant_parse(c->birth, &chart->birth));
    assert_true(instant_parse(c->now, &now));
    answer = answer_at(knowledge, chart, now.start);
    assert_int_equal(answer.truth, c->want);
    assert_string_equal(instant_text(answer.next_ms, next, sizeof next), c->next);
}

static void check_allergy(void **state)
{
    AUTO(knowledge_free)
    struct knowledge *knowledge = fixture_load(RULE("r", "{'allergy':'class:imid'}"), NULL);
    AUTO(chart_free) struct chart *chart = fixture_chart(knowledge, NULL, NULL, NULL, NULL);
    unsigned drug = knowledge_concept(knowledge, CONCEPT_DRUG, "thalidomide");
    struct chart_allergy allergy = { .source = { "AllergyIntolerance", "1", "", INSTANT_UNSET },
                                     .drugs = &drug,
                                     .drug_count = 1 };

    (void)state;
    chart_add_allergy(chart, &allergy);
    assert_int_equal(answer_at(knowledge, chart, NOW).truth, T);
    chart->allergies[0].removed = true;
    assert_int_equal(answer_at(knowledge, chart, NOW).truth, F);
}

/* The reason that an order gives counts as long as the order runs; "ever" it counts for good. */
static void check_reason(void **state)
{
    AUTO(knowledge_free)
    struct knowledge *knowledge = fixture_load(
        RULE("r", "{'condition':'dialysis'}") "," RULE("s", "{'condition':'dialysis','is':'ever'}"),
        NULL);
    AUTO(chart_free)
    struct chart *chart = fixture_chart(knowledge, NULL, "naproxen, until in 1 d", NULL, NULL);
    unsigned reason = knowledge_concept(knowledge, CONCEPT_CONDITION, "dialysis");
    static const struct {
        int64_t at_ms;
        enum truth want, want_ever;
    } rows[] = {
        { 0, T, T },
        { DAY - 1, T, T },
        { DAY, F, T },
    };

    (void)state;
    chart->orders[0].reasons = &reason;
    chart->orders[0].reason_count = 1;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        AUTO(evaluation_free)
        struct evaluation *evaluation = evaluate(knowledge, chart, NOW + rows[i].at_ms, NULL);
        assert_int_equal(evaluation->verdicts[0].answer.truth, rows[i].want);
        assert_int_equal(evaluation->verdicts[1].answer.truth, rows[i].want_ever);
    }
}

/* Of one moment the later report counts: it says which was meant. */
static void check_later_report(void **state)
{
    AUTO(knowledge_free) struct knowledge *knowledge = fixture_load(RULE("r", LOW_COUNT), NULL);
    AUTO(chart_free)
    struct chart *chart = fixture_chart(
        knowledge, NULL, NULL, "neutrophils 0.5 10*9/L, now; neutrophils 1.5 10*9/L, now", NULL);

    (void)state;
    for (size_t i = 0; i < chart->result_count; i++) /* 0.5 is the later report */
        chart->results[i].issued_ms = strstr(chart->results[i].shown, "0.5") ? NOW : NOW - HOUR;
    chart_arrange(chart, knowledge);
    assert_int_equal(answer_at(knowledge, chart, NOW).truth, T);
}

/* A product with two drugs of one class is two drugs. */
static void check_product(void **state)
{
    AUTO(knowledge_free)
    struct knowledge *knowledge =
        fixture_load(RULE("r", "{'order':'class:imid','different':2}"), NULL);
    AUTO(chart_free)
    struct chart *chart = fixture_chart(knowledge, NULL, "lenalidomide", NULL, NULL);
    struct chart_ingredient both[2] = { chart->orders[0].ingredients[0],
                                        chart->orders[0].ingredients[0] };

    (void)state;
    both[1].concept = knowledge_concept(knowledge, CONCEPT_DRUG, "thalidomide");
    chart->orders[0].ingredients = both;
    chart->orders[0].ingredient_count = 2;
    assert_int_equal(answer_at(knowledge, chart, NOW).truth, T);
}

/* A drug that begins later is a subject of its own from then on, whatever is bound now. */
static void check_joins(void **state)
{
    AUTO(knowledge_free)
    struct knowledge *knowledge =
        fixture_load(RULE("r", "{'all':[{'order':'lenalidomide'},{'order':'class:nsaid'}]}"), NULL);
    AUTO(chart_free)
    struct chart *chart = fixture_chart(
        knowledge, NULL, "lenalidomide; naproxen; ibuprofen, since in 3 d", NULL, NULL);
    AUTO(chart_free)
    struct chart *alone =
        fixture_chart(knowledge, NULL, "ibuprofen; naproxen, since in 3 d", NULL, NULL);

    (void)state;
    assert_int_equal(answer_at(knowledge, chart, NOW).next_ms, NOW + 3 * DAY);
    assert_int_equal(answer_at(knowledge, alone, NOW).next_ms, NEVER); /* no pair in sight */
}

/* Waking up at every next_ms sees every change, and time always moves on. */
static void check_clock(void **state)
{
    AUTO(knowledge_free)
    struct knowledge *knowledge = fixture_load(
        RULE("a", LOW_COUNT) "," RULE(
            "b",
            "{'cycleStart':'lenalidomide','cycle':'"
            "28 d','within':'3 d'}") "," RULE("c",
                                              "{'all':[{'order':'lenalidomide'},{'noResult':'"
                                              "neutrophils','within':'"
                                              "9 d'}]}") "," RULE("d",
                                                                  "{'order':'rifampin','lingers':{'"
                                                                  "rifampin':'2 "
                                                                  "d'}}") "," RULE("e",
                                                                                   AGE_ABOVE_60) "," RULE("f",
                                                                                                          "{'course'"
                                                                                                          ":'"
                                                                                                          "lenalidom"
                                                                                                          "ide','is'"
                                                                                                          ":'10 to "
                                                                                                          "20 d'}") "," RULE("g",
                                                                                                                             DOSE_GAP),
        NULL);
    AUTO(chart_free)
    struct chart *chart = fixture_chart(
        knowledge, "60 years",
        "lenalidomide, since 5 d ago, until in 50 d; rifampin, until in 9 h; zoledronic-acid 4 mg "
        "every 5 d, since in 2 d, until in 33 d; zoledronic-acid 4 mg every 1 mo, since 40 d ago",
        "neutrophils 0.5 10*9/L, 1 d ago; neutrophils 2 10*9/L, in 3 d; creatinine 1 mg/dL, in 30 "
        "h",
        NULL);
    int64_t now = NOW, woken = 0, step;
    enum truth seen[7];

    (void)state;
    for (; now < NOW + 400 * DAY; now += step, woken++) {
        AUTO(evaluation_free) struct evaluation *evaluation = evaluate(knowledge, chart, now, NULL);
        AUTO(evaluation_free) struct evaluation *before = evaluate(knowledge, chart, now - 1, NULL);
        for (size_t i = 0; i < ARRAY_SIZE(seen); i++) {
            if (woken) assert_int_equal(before->verdicts[i].answer.truth, seen[i]);
            seen[i] = evaluation->verdicts[i].answer.truth;
        }
        if (evaluation->next_ms == NEVER) break;
        step = evaluation->next_ms - now;
        assert_true(step > 0);
    }
    assert_true(woken > 20);
}

/* The site chooses the profile; an evaluation may be asked for another. */
static void check_profile(void **state)
{
    AUTO(knowledge_free)
    struct knowledge *knowledge = fixture_load(RULE("r", "{'profile':'eu'}"), NULL);
    AUTO(chart_free) struct chart *chart = fixture_chart(knowledge, NULL, NULL, NULL, NULL);
    const struct eval_options eu = { .profile = PROFILE_EU };
    AUTO(evaluation_free) struct evaluation *evaluation = evaluate(knowledge, chart, NOW, &eu);

    (void)state;
    assert_int_equal(answer_at(knowledge, chart, NOW).truth, F);
    assert_int_equal(evaluation->verdicts[0].answer.truth, T);
}

/* Of the checked verdicts none alerts; a conditional one does. */
static void check_verdict_words(void **state)
{
    static const struct {
        const char *verdict;
        bool quiet;
    } rows[] = {
        { "checked-none-known", true }, { "checked-uncertain", true },
        { "checked-expected", true },   { "checked-none-needed", true },
        { "conditional", false },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        AUTO(buf_done) struct buf rule = { 0 };
        buf_printf(&rule, "{'id':'r','verdict':'%s','when':{'order':'lenalidomide'}," RULE_REST "}",
                   rows[i].verdict);
        AUTO(knowledge_free) struct knowledge *knowledge = fixture_load(buf_string(&rule), NULL);
        AUTO(chart_free)
        struct chart *chart = fixture_chart(knowledge, NULL, "lenalidomide", NULL, NULL);
        AUTO(evaluation_free)
        struct evaluation *evaluation = evaluate(knowledge, chart, NOW, NULL);
        assert_int_equal(evaluation->verdicts[0].answer.truth, T);
        assert_int_equal(evaluation->verdicts[0].quiet, rows[i].quiet);
    }
}

/* A case says what no code maps to, and for which profile it is. */
static void check_case_words(void **state)
{
    static const struct {
        const char *unmapped;
        enum profile profile;
        enum case_outcome then;
    } rows[] = {
        { NULL, PROFILE_EU, CASE_FIRES },
        { "eye-exam", PROFILE_EU, CASE_CANNOT_TELL },
        { "dehydration", PROFILE_EU, CASE_FIRES },
        { NULL, PROFILE_US, CASE_SILENT },
    };
    AUTO(knowledge_free)
    struct knowledge *knowledge = fixture_load(
        RULE("r", "{'all':[{'noResult':'eye-exam','within':'ever'},{'profile':'eu'}]}"), NULL);

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const struct rule_case at = { .name = "n",
                                      .patient = "",
                                      .unmapped = (const char **)(uintptr_t)&rows[i].unmapped,
                                      .unmapped_count = rows[i].unmapped != NULL,
                                      .profile = rows[i].profile,
                                      .then = rows[i].then,
                                      .display = "" };
        struct err err = { .what = "" };
        if (!rule_case_holds(&at, knowledge_rule(knowledge, 0), knowledge, &err))
            fail_msg("%zu: %s", i, err.what);
    }
}

/* ---- words */

static void check_says(const char *rules, const char *orders, const char *want)
{
    static const struct eval_options options = { .trace_all = true };
    AUTO(knowledge_free) struct knowledge *knowledge = fixture_load(rules, NULL);
    AUTO(chart_free)
    struct chart *chart =
        fixture_chart(knowledge, NULL, orders, "creatinine 2 mg/dL, 1 d ago", NULL);
    AUTO(evaluation_free) struct evaluation *evaluation = evaluate(knowledge, chart, NOW, &options);

    assert_int_equal(evaluation->verdict_count, 1);
    assert_string_equal(evaluation->verdicts[0].trace->text, want);
}

static void check_words(void **state)
{
    (void)state;
    check_says(RULE("r", "{'order':'pomalidomide','daily':'above 2 mg'}"),
               "pomalidomide 2 mg daily, since 9 d ago; pomalidomide 2 mg daily, since 2 d ago",
               "Active order: pomalidomide, 2 mg daily, since 2026-06-06. Active order: "
               "pomalidomide, 2 mg daily, since 2026-06-13. Two orders for pomalidomide: whether "
               "their doses add up is not known.");
    check_says(RULE("r", "{'ceiling':'lenalidomide','by':'creatinine','within':'30 d',"
                         "'table':[{'max':'15 mg daily'}]}"),
               "lenalidomide 10 mg daily; lenalidomide 10 mg daily",
               "creatinine 2 mg/dL on 2026-06-14: the maximum is 15 mg daily. Two orders for "
               "lenalidomide: whether their doses add up is not known.");
    check_says(RULE("r", "{'order':'dexamethasone','total':'at least 160 mg in 28 d'}"), NULL,
               "No active order for dexamethasone, total dose at least 160 mg in 28 d.");
    check_says(RULE("r", "{'ceiling':'lenalidomide','by':'creatinine','within':'30 d',"
                         "'table':[{'when':'above 2 x upper limit','max':'15 mg daily'}]}"),
               "lenalidomide 25 mg daily",
               "creatinine 2 mg/dL on 2026-06-14: the maximum is 15 mg daily for above 2 x upper "
               "limit. The report gives no upper limit of normal.");
    check_says(RULE("r", "{'order':'rifampin','lingers':{'rifampin':'2 d'}}"),
               "rifampin, since 9 d ago, until 1 d ago",
               "Ended order: rifampin, since 2026-06-06, ended 2026-06-14 (its effect counts for 2 "
               "days after the end).");
    check_says(RULE("r", "{'condition':['dehydration','high-bcl2']}"), NULL,
               "No code maps to dehydration or high bcl2; add one to a local map.");
    check_says(RULE("r", "{'noResult':'eye-exam','within':'ever'}"), NULL,
               "No code maps to eye examination; add one to a local map.");
    check_says(RULE("r", "{'profile':'eu'}"), NULL,
               "The labels of this profile count: us (the rule asks: eu).");
}

int main(void)
{
    static const struct CMUnitTest single[] = {
        { "an allergy on record", check_allergy, NULL, NULL, NULL },
        { "the reason of an order is a condition", check_reason, NULL, NULL, NULL },
        { "of one moment the later report counts", check_later_report, NULL, NULL, NULL },
        { "a product with two drugs is two drugs", check_product, NULL, NULL, NULL },
        { "a drug that begins later joins then", check_joins, NULL, NULL, NULL },
        { "the clock sees every change", check_clock, NULL, NULL, NULL },
        { "the profile is the site's, or another one", check_profile, NULL, NULL, NULL },
        { "checked verdicts never alert", check_verdict_words, NULL, NULL, NULL },
        { "cases name profile and unmapped concepts", check_case_words, NULL, NULL, NULL },
        { "orders that add up or linger say so", check_words, NULL, NULL, NULL },
    };
    int failed = RUN_TABLE("clauses", clauses, check_clause);

    failed += RUN_TABLE("verdicts", verdicts, check_verdict);
    failed += RUN_TABLE("births", births, check_birth);
    failed += cmocka_run_group_tests_name("single", single, NULL, NULL);
    return failed;
}
