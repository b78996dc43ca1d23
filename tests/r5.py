"""Resources of R4 in the shape of R5: the members that our readers use, and those that moved."""


def as_r5(resource):
    """The same fact as an R5 server would say it, in a new object. What is R5 already stays."""
    change = CHANGES.get(resource.get("resourceType"))
    made = change(dict(resource)) if change else dict(resource)
    if "contained" in made:
        made["contained"] = [as_r5(inner) for inner in made["contained"]]
    return made


def _codeable_reference(concept, reference):
    return {**({"concept": concept} if concept else {}),
            **({"reference": reference} if reference else {})}


def _either(made, stem, name):
    """stemCodeableConcept or stemReference becomes name, a CodeableReference."""
    both = _codeable_reference(made.pop(stem + "CodeableConcept", None),
                               made.pop(stem + "Reference", None))
    if both:
        made[name] = both


def _reasons(made):
    reasons = [{"concept": c} for c in made.pop("reasonCode", [])]
    reasons += [{"reference": r} for r in made.pop("reasonReference", [])]
    if reasons:
        made["reason"] = reasons


def _rename(made, **names):
    for old, new in names.items():
        if old in made:
            made[new] = made.pop(old)


def _drop(made, *names):
    for name in names:
        made.pop(name, None)


def _participants(made):
    actors = [made.pop(name) for name in ("recorder", "asserter") if name in made]
    if actors:
        made["participant"] = [{"actor": actor} for actor in actors]


def _dosage(dosage):
    made = dict(dosage)
    _rename(made, asNeededBoolean="asNeeded")
    if "asNeededCodeableConcept" in made:
        made["asNeededFor"] = [made.pop("asNeededCodeableConcept")]
    if isinstance(made.get("maxDosePerPeriod"), dict):
        made["maxDosePerPeriod"] = [made["maxDosePerPeriod"]]
    return made


def _order(made):
    _either(made, "medication", "medication")
    _reasons(made)
    _rename(made, reportedBoolean="reported")
    if "reportedReference" in made:
        made["informationSource"] = [made.pop("reportedReference")]
    if isinstance(made.get("performer"), dict):
        made["performer"] = [made["performer"]]
    if "dosageInstruction" in made:
        made["dosageInstruction"] = [_dosage(d) for d in made["dosageInstruction"]]
    _drop(made, "instantiatesCanonical", "instantiatesUri", "detectedIssue")
    return made


def _ingredient(ingredient):
    made = dict(ingredient)
    _either(made, "item", "item")
    _rename(made, strength="strengthRatio")
    return made


def _medication(made):
    _rename(made, form="doseForm", manufacturer="marketingAuthorizationHolder")
    if "ingredient" in made:
        made["ingredient"] = [_ingredient(i) for i in made["ingredient"]]
    _drop(made, "amount")
    return made


def _substance(made):
    code = made.get("code", {})
    if "coding" in code or "text" in code:
        made.update(instance=False, code={"concept": code})
    return made


def _procedure(made):
    for kind in ("DateTime", "Period", "String", "Age", "Range"):
        _rename(made, **{"performed" + kind: "occurrence" + kind})
    _reasons(made)
    return made


def _condition(made):
    _participants(made)
    if any("code" in e or "detail" in e for e in made.get("evidence", [])):
        _drop(made, "evidence")
    return made


def _allergy(made):
    _participants(made)
    if isinstance(made.get("type"), str):
        made["type"] = {"coding": [{
            "system": "http://hl7.org/fhir/allergy-intolerance-type", "code": made["type"]}]}
    return made


def _issue(made):
    _rename(made, patient="subject")
    return made


def _bundle(made):
    made["entry"] = [{**e, "resource": as_r5(e["resource"])} if "resource" in e else e
                     for e in made.get("entry", [])]
    return made


CHANGES = {"MedicationRequest": _order, "Medication": _medication, "Substance": _substance,
           "Procedure": _procedure, "Condition": _condition, "AllergyIntolerance": _allergy,
           "DetectedIssue": _issue, "Bundle": _bundle}
