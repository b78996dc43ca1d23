circuit.o: adapter/core/circuit.c include/core/circuit.h \
  include/core/retry.h include/base/err.h include/base/attr.h

include/core/circuit.h:

include/core/retry.h:

include/base/err.h:

include/base/attr.h:
