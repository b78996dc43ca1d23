"""Made-up histories: how the charts of tests/opinion came to be what they are.

A history is a list of writes to a hospital, in the order in which they happened. Behind each resource
of the final charts stand versions that were otherwise: another value, a preliminary one, another
patient's, an order that ran; between them stand resources that were struck out or deleted later. What a
seed makes is always the same, but for the time it is told at."""
import copy
import datetime
import os
import random
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests", "opinion"))
import facts  # noqa: E402

# Results that are exactly as old as a window is wide are over it by so much when the story begins.
PAST_THE_EDGE = datetime.timedelta(minutes=20)
DELETED = None
CODES = os.path.join(ROOT, "tests", "opinion", "codes.csv")


def charts(seed, count):
    """The resources of so many patients."""
    import make_patients
    import patient as made
    made.NOW = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None) - PAST_THE_EDGE
    crowd = list(make_patients.make(1, seed))
    some = random.Random(seed).sample(crowd, count)
    return [list(made.resources(one)) for one in some]


class History:
    """writes: (type, id, resource or DELETED), oldest first."""

    def __init__(self, seed, count):
        self.random = random.Random(seed)
        self.charts = charts(seed, count)
        self.patients = [chart[0]["id"] for chart in self.charts]
        lives = [life for chart in self.charts for resource in chart
                 for life in self.lives(resource)]
        self.writes = self.woven(lives)

    def lives(self, resource):
        """The versions of a resource, and of others that are gone in the end."""
        kind = resource["resourceType"]
        key = kind, resource["id"]
        yield [(*key, version) for version in self.versions(resource)]
        if kind in ("Observation", "MedicationRequest") and self.random.random() < 0.15:
            wrong = {**self.changed(resource), "id": resource["id"] + "-gone"}
            last = self.random.choice([DELETED, {**wrong, "status": "entered-in-error"}])
            yield [(kind, wrong["id"], wrong), (kind, wrong["id"], last)]

    def versions(self, resource):
        kind = resource["resourceType"]
        if kind == "Patient" or self.random.random() < 0.6:
            return [resource]
        before = [self.changed(resource) for _ in range(self.random.choice([1, 1, 2]))]
        return [*before, resource]

    def changed(self, resource):
        """As it may have been before."""
        kind, other = resource["resourceType"], copy.deepcopy(resource)
        if kind in ("Observation", "MedicationRequest") and self.random.random() < 0.1:
            other["subject"] = {"reference": "Patient/" + self.random.choice(self.patients)}
        if kind == "Observation":
            other["status"] = self.random.choice(["final", "preliminary", "registered"])
            if "valueQuantity" in other:
                factor = self.random.choice([0.1, 0.5, 1, 2, 10])
                other["valueQuantity"]["value"] = round(other["valueQuantity"]["value"] * factor, 3)
        elif kind == "MedicationRequest":
            other["status"] = self.random.choice(["active", "on-hold", "stopped", "draft"])
        elif kind == "Condition":
            other["clinicalStatus"]["coding"][0]["code"] = self.random.choice(
                ["active", "resolved", "inactive"])
        else:
            other["status"] = self.random.choice(["completed", "not-done"])
        return other

    def woven(self, lives):
        """All lives side by side, each in its own order; a patient stands before what is theirs."""
        first = [write for life in lives for write in life if write[0] == "Patient"]
        rest = [life for life in lives if life[0][0] != "Patient"]
        ticks = [(self.random.random(), number) for number, life in enumerate(rest) for _ in life]
        heads = [iter(life) for life in rest]
        return first + [next(heads[number]) for _, number in sorted(ticks)]
