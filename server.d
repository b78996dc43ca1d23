server.o: adapter/flow/server.c include/flow/server.h include/base/buf.h \
  include/base/attr.h include/base/doc.h include/base/err.h \
  include/core/circuit.h include/net/http_client.h \
  include/base/instant.h include/base/log.h include/base/mem.h \
  include/fhir/outcome.h include/base/node.h include/fhir/reference.h \
  include/fhir/resource.h include/core/chart.h include/base/arena.h \
  include/core/day_time.h include/core/truth.h include/core/interval.h \
  include/base/decimal.h include/core/knowledge.h \
  include/flow/flow_impl.h include/fhir/capability.h \
  include/fhir/release.h include/fhir/poll_plan.h include/flow/audit.h \
  include/flow/catchup.h include/core/patience.h include/store/store.h \
  include/flow/clock.h include/core/wall.h include/flow/deliver.h \
  include/fhir/detected_issue.h include/core/alert.h \
  include/flow/device.h include/flow/flow.h include/base/metric.h \
  include/core/backlog.h include/fhir/subscription.h \
  include/net/http_server.h include/flow/intake.h include/flow/ledger.h \
  include/flow/look.h include/fhir/roster.h include/flow/pace.h \
  include/core/budget.h include/flow/roster_read.h include/flow/socket.h \
  include/fhir/binding.h include/flow/subscribe.h include/fhir/topic.h \
  include/flow/watch.h include/fhir/feed.h include/fhir/notification.h \
  include/flow/sweep.h include/flow/work.h

include/flow/server.h:

include/base/buf.h:

include/base/attr.h:

include/base/doc.h:

include/base/err.h:

include/core/circuit.h:

include/net/http_client.h:

include/base/instant.h:

include/base/log.h:

include/base/mem.h:

include/fhir/outcome.h:

include/base/node.h:

include/fhir/reference.h:

include/fhir/resource.h:

include/core/chart.h:

include/base/arena.h:

include/core/day_time.h:

include/core/truth.h:

include/core/interval.h:

include/base/decimal.h:

include/core/knowledge.h:

include/flow/flow_impl.h:

include/fhir/capability.h:

include/fhir/release.h:

include/fhir/poll_plan.h:

include/flow/audit.h:

include/flow/catchup.h:

include/core/patience.h:

include/store/store.h:

include/flow/clock.h:

include/core/wall.h:

include/flow/deliver.h:

include/fhir/detected_issue.h:

include/core/alert.h:

include/flow/device.h:

include/flow/flow.h:

include/base/metric.h:

include/core/backlog.h:

include/fhir/subscription.h:

include/net/http_server.h:

include/flow/intake.h:

include/flow/ledger.h:

include/flow/look.h:

include/fhir/roster.h:

include/flow/pace.h:

include/core/budget.h:

include/flow/roster_read.h:

include/flow/socket.h:

include/fhir/binding.h:

include/flow/subscribe.h:

include/fhir/topic.h:

include/flow/watch.h:

include/fhir/feed.h:

include/fhir/notification.h:

include/flow/sweep.h:

include/flow/work.h:
