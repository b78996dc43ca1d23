wall_test.o: tests/unit/wall_test.c tests/unit/test.h include/base/attr.h \
  include/core/wall.h include/base/instant.h

tests/unit/test.h:

include/base/attr.h:

include/core/wall.h:

include/base/instant.h:
