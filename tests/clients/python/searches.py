"""The requests whose answers scripts/check-clients validates, each with what its answer must show to be worth validating."""

import json
from collections import namedtuple
from pathlib import Path
from urllib.parse import quote

ROOT = Path(__file__).resolve().parents[3]
DISTANCE = "http://hl7.org/fhir/StructureDefinition/location-distance"

# status, resourceType of the body, path and query behind the base, what the body must show, request headers
Request = namedtuple("Request", "status kind target shows headers", defaults=(None, {}))


def entries(body, mode):
    return [entry for entry in body.get("entry", []) if entry["search"]["mode"] == mode]


def matches(body):
    return bool(entries(body, "match"))


def includes(body):
    return matches(body) and bool(entries(body, "include"))


def warns(body):
    return bool(entries(body, "outcome"))


def counts_only(body):
    return body["total"] > 0 and not body.get("entry")


def no_total(body):
    return matches(body) and "total" not in body


def subsetted(body):
    return matches(body) and all(
        any(tag.get("code") == "SUBSETTED" for tag in entry["resource"]["meta"].get("tag", []))
        for entry in entries(body, "match")
    )


def distances(body):
    """Every Location of a near search says how far it is, and the nearest match comes first."""
    places = [entry for entry in body.get("entry", []) if entry["resource"]["resourceType"] == "Location"]
    found = [[e["valueDistance"]["value"] for e in p["search"].get("extension", []) if e["url"] == DISTANCE] for p in places]
    matched = [d for d, p in zip(found, places) if p["search"]["mode"] == "match"]
    return matches(body) and all(len(d) == 1 for d in found) and matched == sorted(matched)


def scored(body):
    return matches(body) and all(entry["search"].get("score") for entry in entries(body, "match"))


def refuses(body):
    return any(issue["severity"] in ("error", "fatal") for issue in body["issue"])


def found(target, shows=matches):
    return Request(200, "Bundle", target, shows)


def refused(status, target, **headers):
    return Request(status, "OperationOutcome", target, refuses, {k.replace("_", "-"): v for k, v in headers.items()})


WIDE = (
    "_include=HealthcareService:organization&_include:iterate=Organization:partof&_include=HealthcareService:location"
    "&_revinclude=PractitionerRole:service&_include=PractitionerRole:practitioner"
)
TYPES = ["HealthcareService", "Location", "Organization", "Practitioner", "PractitionerRole", "Task"]

REQUESTS = [
    *(found(f"{kind}?_count=40") for kind in TYPES),
    *(found(f"{kind}?_count=3&_sort=-_lastUpdated&_pretty=true") for kind in TYPES),
    *(found(f"{kind}?_count=0", counts_only) for kind in TYPES),
    *(found(f"{kind}?_summary=true&_count=20", subsetted) for kind in TYPES),
    # near
    found("Location?near=47.2184|-1.5536|5|km&_count=30", distances),
    found("Location?near=47.2184|-1.5536|800|m&_count=30", distances),
    found("Location?near-insee-code=44109|10|km&_count=30", distances),
    found("HealthcareService?location.near-insee-code=44109|5|km&_include=HealthcareService:location&_count=20", distances),
    # text
    found("HealthcareService?_content=cardio&_count=20", scored),
    found('HealthcareService?_filter=name co "cardio" or _content co cardio&_count=20'),
    found("HealthcareService?name:contains=cardio"),
    # part of each resource
    found("HealthcareService?_elements=identifier,name&_count=20", subsetted),
    found("Location?_elements=address,position,extension&_count=20", subsetted),
    found("Task?_elements=focus&_count=20", subsetted),
    found(f"HealthcareService?_elements=HealthcareService.name,Location.address&{WIDE}&_count=10"),
    found("HealthcareService?_summary=data&_count=20", subsetted),
    found("HealthcareService?_summary=text&_count=20", subsetted),
    found("Organization?_summary=false&_count=20"),
    found("HealthcareService?_summary=count", counts_only),
    found("HealthcareService?_total=none&_count=5", no_total),
    found("HealthcareService?_total=accurate&_count=5"),
    # includes
    found(f"HealthcareService?{WIDE}&_count=20", includes),
    found(f"HealthcareService?{WIDE}&_revinclude=Task:focus&_count=100", includes),
    found("HealthcareService?_include=*&_count=20", includes),
    found("Location?_revinclude=HealthcareService:location&_count=20", includes),
    found("PractitionerRole?_include=PractitionerRole:practitioner&_include=PractitionerRole:organization&_count=20", includes),
    found("Organization?partof:missing=false&_sort=-_lastUpdated&_include:iterate=Organization:partof&_count=20", includes),
    # order
    found("HealthcareService?_sort=name,-_lastUpdated&_count=20"),
    found("Location?_sort=address-city,address-postalcode&_count=20"),
    found("HealthcareService?_sort=age-range-low&_count=20"),
    # joins, groups, values
    found("HealthcareService?organization.type=101&_count=10"),
    found("HealthcareService?organization.partof.name:contains=nantes&_count=10"),
    found("HealthcareService?_has:PractitionerRole:service:practitioner.identifier:missing=false&_count=10"),
    found("HealthcareService?location.capacity-type=01&location.nb-capacity=gt0&_count=10"),
    found("Location?_filter=supported-capacity[capacity-type eq 01 and nb-capacity gt 0] pr true&_count=10"),
    found("HealthcareService?age-range-low=le18&age-range-high=ge18&_count=10"),
    found("HealthcareService?specialty:missing=false&_count=10"),
    found("Organization?name=Centre%20Hospitalier&_count=10"),
    found("Task?business-status:not=01&_count=10"),
    # nothing found, warnings
    Request(200, "Bundle", "HealthcareService?_id=none-such", lambda body: body["total"] == 0),
    found("HealthcareService?speciality=013&_count=5", warns),
    Request(200, "Bundle", "HealthcareService?colour=blue&_count=5", warns, {"Prefer": "handling=lenient"}),
    Request(200, "Bundle", "Location?near-insee-code=99999|5|km", warns),
    # single resources and the statement
    *(Request(200, kind, f"{kind}/{name}") for kind, name in [
        ("Location", "140"), ("Practitioner", "245876"), ("PractitionerRole", "753"), ("Task", "1309"), ("HealthcareService", "700020")
    ]),
    Request(200, "CapabilityStatement", "metadata"),
    # refusals
    refused(400, "HealthcareService?colour=blue"),
    refused(400, "HealthcareService?speciality=013", Prefer="handling=strict"),
    refused(400, "HealthcareService?specialty:contains=013"),
    refused(400, "HealthcareService?_lastUpdated=ge2022-13-01"),
    refused(400, "HealthcareService?_filter=(name eq"),
    refused(400, "HealthcareService?_sort=colour"),
    refused(400, "HealthcareService?_include=HealthcareService:colour"),
    refused(400, "HealthcareService?_elements=colour"),
    refused(400, "HealthcareService?_count=-1"),
    refused(400, "Location?near=147.2|-1.5"),
    refused(404, "Patient?name=x"),
    refused(404, "HealthcareService/none-such"),
    refused(406, "HealthcareService?_format=xml"),
    refused(406, "HealthcareService", Accept="text/turtle"),
]


def documented():
    """Every documented GET search and read that is to be carried out, placeholders filled in, pages kept short."""
    scenarios = json.loads((ROOT / "tests/scenarios/scenarios.json").read_text(encoding="utf-8"))
    values = json.loads((ROOT / "fixtures/scenario-values.json").read_text(encoding="utf-8"))["scenarios"]
    for scenario in scenarios:
        for request in scenario["requests"]:
            prepared = values.get(scenario["id"], {}).get(request["variant"], {})
            sent = request["method"] == "GET" and request["handling"] in ("accept", "accept-as-alias")
            if not sent or prepared.get("expect") not in ("found", "empty", "read"):
                continue
            target = fill(request["wire"], prepared.get("values", {})).lstrip("/")
            if prepared["expect"] != "read" and "_count=" not in target:
                target += ("&" if "?" in target else "?") + "_count=15"
            name = target.split("?")[0].split("/")[0]
            headers = {k: v for k, v in request.get("headers", {}).items() if k.lower() == "accept"}
            kind = name if prepared["expect"] == "read" else "Bundle"
            yield Request(200, kind, target, matches if prepared["expect"] == "found" else None, headers)


def fill(wire, values):
    """Puts values where placeholders stand; a placeholder is a whole word of letters and digits, never part of one."""
    words, word = [], ""
    i = 0
    while i < len(wire):
        if wire[i] == "%":
            words += [word, wire[i : i + 3]]
            word = ""
            i += 3
        elif wire[i].isascii() and wire[i].isalnum():
            word += wire[i]
            i += 1
        else:
            words += [word, wire[i]]
            word = ""
            i += 1
    words.append(word)
    return "".join(quote(values[w], safe="-./:_") if w in values else w for w in words)
