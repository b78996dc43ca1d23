eval_bench.o: tests/bench/eval_bench.c include/app/load.h \
  include/base/err.h include/base/attr.h include/core/knowledge.h \
  include/base/decimal.h include/base/instant.h include/core/interval.h \
  include/core/truth.h include/core/chart.h include/base/arena.h \
  include/core/day_time.h include/core/eval.h include/core/alert.h \
  include/base/node.h include/base/doc.h include/core/rule.h \
  include/core/lint_check.h include/core/knowledge_impl.h \
  include/base/csv.h include/core/table.h

include/app/load.h:

include/base/err.h:

include/base/attr.h:

include/core/knowledge.h:

include/base/decimal.h:

include/base/instant.h:

include/core/interval.h:

include/core/truth.h:

include/core/chart.h:

include/base/arena.h:

include/core/day_time.h:

include/core/eval.h:

include/core/alert.h:

include/base/node.h:

include/base/doc.h:

include/core/rule.h:

include/core/lint_check.h:

include/core/knowledge_impl.h:

include/base/csv.h:

include/core/table.h:
