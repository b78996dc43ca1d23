core_bench.o: tests/bench/core_bench.c include/app/input.h \
  include/app/progress.h include/base/err.h include/base/attr.h \
  include/app/load.h include/core/knowledge.h include/base/decimal.h \
  include/base/instant.h include/core/interval.h include/core/truth.h \
  include/app/simulate.h include/base/arena.h include/base/doc.h \
  include/core/alert.h include/base/node.h include/core/chart.h \
  include/core/day_time.h include/core/eval.h include/core/rule.h \
  include/core/lint_check.h include/fhir/resource.h include/base/mem.h \
  include/fhir/bundle.h

include/app/input.h:

include/app/progress.h:

include/base/err.h:

include/base/attr.h:

include/app/load.h:

include/core/knowledge.h:

include/base/decimal.h:

include/base/instant.h:

include/core/interval.h:

include/core/truth.h:

include/app/simulate.h:

include/base/arena.h:

include/base/doc.h:

include/core/alert.h:

include/base/node.h:

include/core/chart.h:

include/core/day_time.h:

include/core/eval.h:

include/core/rule.h:

include/core/lint_check.h:

include/fhir/resource.h:

include/base/mem.h:

include/fhir/bundle.h:
