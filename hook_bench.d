hook_bench.o: tests/bench/hook_bench.c include/base/mem.h \
  include/net/http_client.h include/base/err.h include/base/attr.h

include/base/mem.h:

include/net/http_client.h:

include/base/err.h:

include/base/attr.h:
