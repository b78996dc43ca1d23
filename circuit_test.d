circuit_test.o: tests/unit/circuit_test.c tests/unit/test.h \
  include/base/attr.h include/core/circuit.h

tests/unit/test.h:

include/base/attr.h:

include/core/circuit.h:
