delivery.o: adapter/flow/delivery.c include/flow/delivery.h \
  include/store/store.h include/base/attr.h include/base/err.h \
  include/base/arena.h include/base/instant.h include/base/log.h \
  include/base/mem.h include/fhir/detected_issue.h include/base/node.h \
  include/base/doc.h include/core/alert.h include/fhir/release.h \
  include/fhir/resource.h include/core/chart.h include/core/day_time.h \
  include/core/truth.h include/core/interval.h include/base/decimal.h \
  include/core/knowledge.h include/flow/flow_impl.h \
  include/fhir/capability.h include/fhir/poll_plan.h \
  include/flow/audit.h include/base/buf.h include/flow/catchup.h \
  include/core/patience.h include/flow/clock.h include/core/wall.h \
  include/flow/deliver.h include/flow/device.h include/flow/flow.h \
  include/base/metric.h include/core/backlog.h \
  include/fhir/subscription.h include/net/http_client.h \
  include/net/http_server.h include/flow/intake.h include/flow/ledger.h \
  include/flow/look.h include/fhir/roster.h include/fhir/reference.h \
  include/flow/pace.h include/core/budget.h include/flow/roster_read.h \
  include/flow/server.h include/core/circuit.h include/flow/socket.h \
  include/fhir/binding.h include/flow/subscribe.h include/fhir/topic.h \
  include/flow/watch.h include/fhir/feed.h include/fhir/notification.h \
  include/flow/sweep.h include/flow/work.h include/flow/pages.h \
  include/fhir/bundle.h

include/flow/delivery.h:

include/store/store.h:

include/base/attr.h:

include/base/err.h:

include/base/arena.h:

include/base/instant.h:

include/base/log.h:

include/base/mem.h:

include/fhir/detected_issue.h:

include/base/node.h:

include/base/doc.h:

include/core/alert.h:

include/fhir/release.h:

include/fhir/resource.h:

include/core/chart.h:

include/core/day_time.h:

include/core/truth.h:

include/core/interval.h:

include/base/decimal.h:

include/core/knowledge.h:

include/flow/flow_impl.h:

include/fhir/capability.h:

include/fhir/poll_plan.h:

include/flow/audit.h:

include/base/buf.h:

include/flow/catchup.h:

include/core/patience.h:

include/flow/clock.h:

include/core/wall.h:

include/flow/deliver.h:

include/flow/device.h:

include/flow/flow.h:

include/base/metric.h:

include/core/backlog.h:

include/fhir/subscription.h:

include/net/http_client.h:

include/net/http_server.h:

include/flow/intake.h:

include/flow/ledger.h:

include/flow/look.h:

include/fhir/roster.h:

include/fhir/reference.h:

include/flow/pace.h:

include/core/budget.h:

include/flow/roster_read.h:

include/flow/server.h:

include/core/circuit.h:

include/flow/socket.h:

include/fhir/binding.h:

include/flow/subscribe.h:

include/fhir/topic.h:

include/flow/watch.h:

include/fhir/feed.h:

include/fhir/notification.h:

include/flow/sweep.h:

include/flow/work.h:

include/flow/pages.h:

include/fhir/bundle.h:
