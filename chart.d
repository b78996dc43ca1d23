chart.o: adapter/core/chart.c include/core/chart.h include/base/arena.h \
  include/base/instant.h include/base/attr.h include/core/day_time.h \
  include/core/truth.h include/core/interval.h include/base/decimal.h \
  include/core/knowledge.h include/base/err.h include/base/mem.h \
  include/core/derive.h

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

include/base/mem.h:

include/core/derive.h:
