big_hospital.o: tests/bench/big_hospital.c include/base/buf.h \
  include/base/attr.h include/base/instant.h

include/base/buf.h:

include/base/attr.h:

include/base/instant.h:
