"""Stand-in hospitals for the poll: one whose histories break off, and one in the manner of the big
vendors, which answers only questions about one patient."""
import threading
import time

from hospital import FhirError, Page, query_pairs
from ward import WatchedHospital


class CutHospital(WatchedHospital):
    """A history asked for with _count ends after its first page, and no next link says so."""

    def _page(self, request, page, offset, token=None):
        if page.kind == "history":
            page = Page(page.kind, page.versions[:page.size], page.size, page.self_link)
        return super()._page(request, page, offset, token)


class VendorHospital(WatchedHospital):
    """Epic and Oracle: no _lastUpdated, no history, no DetectedIssue, no Subscription; a search
    names its patient, one of Observation its category too. quota: requests that are answered in a
    window of so many seconds; the others get 429."""

    WITHOUT = ("DetectedIssue", "Subscription", "Device", "Flag")

    def __init__(self, *arguments, quota=None, seconds=1, **options):
        options = {"type_history": False, "without": self.WITHOUT, **options}
        super().__init__(*arguments, **options)
        self.quota, self.seconds, self.window = quota, seconds, []
        self.counting = threading.Lock()

    def _fhir(self, request):
        return self._over_quota() or super()._fhir(request)

    def _over_quota(self):
        if self.quota is None:
            return None
        now = time.monotonic()
        with self.counting:
            self.window = [at for at in self.window if now - at < self.seconds]
            if len(self.window) < self.quota:
                self.window.append(now)
                return None
        return FhirError(429, "throttled", "too many requests",
                         {"Retry-After": str(max(1, round(self.seconds)))}).response()

    def _search(self, request, rtype, query):
        names = {name.partition(":")[0] for name, _ in query_pairs(query)}
        if "_lastUpdated" in names:
            raise FhirError(400, "not-supported", "_lastUpdated is not supported")
        if rtype not in ("Group", "List") and not names & {"patient", "_id"}:
            raise FhirError(400, "required", "a patient is required")
        if rtype == "Observation" and not names & {"category", "code", "_id"}:
            raise FhirError(400, "required", "a category or a code is required")
        return super()._search(request, rtype, query)

    def _capability(self, rtype):
        told = super()._capability(rtype)
        told["searchParam"] = [p for p in told["searchParam"] if p["name"] != "_lastUpdated"]
        return told
