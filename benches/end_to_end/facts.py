"""What the measured searches ask about, read from the bodies of an extract: for drawing parameters and for the database.

A criterion by code becomes one short text, its token: `specialty=R211|013`.
"""

import re

# The list behind a code system, out of its address.
LIST = re.compile(r"TRE[_-]([A-Z]\d+)")
# One of these in years, and in kilograms.
YEARS = {"a": 1.0, "mo": 1 / 12, "wk": 7 / 365.25, "d": 1 / 365.25, "h": 1 / 8766}
KILOGRAMS = {"kg": 1.0, "g": 0.001, "mg": 0.000001}


def listed(system):
    """The short name of a code system."""
    found = LIST.search(system or "")
    return found.group(1) if found else system or ""


def token(parameter, system, code):
    """The text under which a code is found."""
    return f"{parameter}={listed(system)}|{code}"


def codings(concepts):
    """(system, code) of a CodeableConcept, of a list of them, or of a Coding."""
    for concept in concepts if isinstance(concepts, list) else [concepts or {}]:
        for coding in concept.get("coding", [concept]):
            if "code" in coding:
                yield coding.get("system", ""), coding["code"]


def extensions(element, name):
    """Extensions whose address ends with this name."""
    for one in element.get("extension", ()):
        if one.get("url", "").rpartition("/")[2] == name:
            yield one


def code_of(element, name):
    """The first code in an extension; None without."""
    for one in extensions(element, name):
        for _, code in codings(one.get("valueCodeableConcept") or one.get("valueCoding")):
            return code
    return None


def target(reference, kind):
    """The id that a literal reference names; None without."""
    text = (reference or {}).get("reference", "")
    return text.rpartition("/")[2] if text.startswith(kind + "/") else None


def offer(body):
    """(parameter, system, code) of an offer, bounds of age in years, ids of its places, id of its organisation."""
    coded = [("_tag", one.get("system"), one.get("code")) for one in body.get("meta", {}).get("tag", ())]
    for parameter, element in (("specialty", "specialty"), ("service-category", "category"), ("service-type", "type"),
                               ("characteristic", "characteristic")):
        coded += [(parameter, *found) for found in codings(body.get(element, []))]
    for zone in extensions(body, "ror-territorial-division"):
        for part in extensions(zone, "codeTerritorialDivision"):
            coded += [("intervention-zone", *found) for found in codings(part.get("valueCodeableConcept"))]
    low = high = None
    for patient in extensions(body, "ror-healthcareservice-patient-type"):
        for part in extensions(patient, "ageRange"):
            low, high = (years(part.get("valueRange", {}).get(bound)) for bound in ("low", "high"))
    places = [found for one in body.get("location", ()) if (found := target(one, "Location"))]
    return coded, low, high, places, target(body.get("providedBy"), "Organization")


def years(quantity):
    """An age in years; None when there is none, or its unit is none of time."""
    if not quantity or "value" not in quantity:
        return None
    share = YEARS.get(quantity.get("code") or quantity.get("unit"))
    return None if share is None else quantity["value"] * share


def lines(place):
    """Capacity lines of a place: type, status, temporality, gender, closing, number."""
    for one in extensions(place, "ror-location-supported-capacity"):
        number = next((part.get("valueInteger") for part in extensions(one, "nbCapacity")), None)
        yield (*(code_of(one, name) for name in ("capacityType", "capacityStatus", "temporalityCapacity",
                                                  "genderCapacityAvailable", "capacityClosingType")), number)


def limits(place):
    """Limits of the equipment of a place: type of equipment, feature, kilograms (None for what is no mass)."""
    for one in extensions(place, "ror-location-equipment"):
        kind = code_of(one, "equipmentType")
        for limit in extensions(one, "ror-location-equipment-limit"):
            quantity = next((part.get("valueQuantity", {}) for part in extensions(limit, "limitValue")), {})
            share = KILOGRAMS.get(quantity.get("code") or quantity.get("unit"))
            mass = quantity["value"] * share if share and "value" in quantity else None
            yield kind, code_of(limit, "equipmentFeature"), mass


def place(body):
    """Postal code, commune, position and identifiers of a place."""
    position = body.get("position", {})
    return (body.get("address", {}).get("postalCode"), code_of(body, "ror-commune-cog"), position.get("latitude"),
            position.get("longitude"), [one["value"] for one in body.get("identifier", ()) if "value" in one])


def organisation(body):
    """(system, code) of the types of an organisation, and the id of the one it is part of."""
    return list(codings(body.get("type", []))), target(body.get("partOf"), "Organization")
