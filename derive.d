derive.o: adapter/core/derive.c include/core/derive_impl.h \
  include/core/derive.h include/core/chart.h include/base/arena.h \
  include/base/instant.h include/base/attr.h include/core/day_time.h \
  include/core/truth.h include/core/interval.h include/base/decimal.h \
  include/core/knowledge.h include/base/err.h include/core/eval_impl.h \
  include/base/buf.h include/core/eval.h include/core/alert.h \
  include/base/node.h include/base/doc.h include/core/rule.h \
  include/core/lint_check.h

include/core/derive_impl.h:

include/core/derive.h:

include/core/chart.h:

include/base/arena.h:

include/base/instant.h:

include/base/attr.h:

include/core/day_time.h:

include/core/truth.h:

include/core/interval.h:

include/base/decimal.h:

include/core/knowledge.h:

include/base/err.h:

include/core/eval_impl.h:

include/base/buf.h:

include/core/eval.h:

include/core/alert.h:

include/base/node.h:

include/base/doc.h:

include/core/rule.h:

include/core/lint_check.h:
