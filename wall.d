wall.o: adapter/core/wall.c include/core/wall.h include/base/instant.h \
  include/base/attr.h

include/core/wall.h:

include/base/instant.h:

include/base/attr.h:
