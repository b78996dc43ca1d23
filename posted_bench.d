posted_bench.o: tests/bench/posted_bench.c include/base/buf.h \
  include/base/attr.h include/base/instant.h include/base/mem.h \
  include/net/http_client.h include/base/err.h

include/base/buf.h:

include/base/attr.h:

include/base/instant.h:

include/base/mem.h:

include/net/http_client.h:

include/base/err.h:
