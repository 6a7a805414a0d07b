"""Sends requests over plain HTTP and has every body judged as R4, those the third-party clients met included.

usage: validate.py BASE_URL MET   MET: a file with one JSON body per line, as the clients wrote it
"""

import http.client
import json
import sys
from urllib.parse import quote, urlsplit

from checks import Checks
from r4 import Judges
from searches import REQUESTS, documented


def main(base, met):
    checks = Checks("validation")
    judges = Judges()
    for judge, what, body in broken():
        objections = judges.faults(body)
        heard = any(fault.startswith(judge) for fault in objections)
        checks.record(f"{judge} objects to {what}", [] if heard else [f"objections: {objections}"])
    address = urlsplit(base)
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=30)
    for request in [*REQUESTS, *documented()]:
        checks.record(f"{request.target} {request.headers or ''}", answer_faults(connection, address.path, judges, request))
    clients_bodies(checks, judges, met)
    return checks.finish()


def broken():
    """Bodies that are not R4: who must object, to what."""
    place = {"resourceType": "Location", "id": "1", "status": "active"}
    entry = {"fullUrl": "http://example.org/fhir/Location/1", "resource": place, "search": {"mode": "match"}}
    link = [{"relation": "self", "url": "http://example.org/fhir/Location?"}]
    page = {"resourceType": "Bundle", "type": "searchset", "total": 1, "link": link, "entry": [entry]}
    yield "fhir.resources", "an unknown element", {**place, "colour": "blue"}
    yield "JSON schema", "an unknown element", {**place, "colour": "blue"}
    yield "fhir.resources", "an OperationOutcome without issue", {"resourceType": "OperationOutcome"}
    yield "JSON schema", "an unknown element inside a Bundle", {**page, "entry": [{**entry, "resource": {**place, "colour": 1}}]}
    yield "JSON schema", "a search mode that is none", {**page, "entry": [{**entry, "search": {"mode": "found"}}]}
    yield "R4", "an empty list", {**place, "alias": []}
    yield "R4", "the same resource twice", {**page, "total": 2, "entry": [entry, entry]}
    yield "R4", "a fullUrl of another resource", {**page, "entry": [{**entry, "fullUrl": "http://example.org/fhir/Location/2"}]}
    yield "R4", "a total without its pages", {**page, "total": 7}
    yield "R4", "a page without a self link", {**page, "link": [{**link[0], "relation": "first"}]}


def answer_faults(connection, path, judges, request):
    """What is wrong with the answer to one request."""
    target = f"{path}/{quote(request.target, safe='%&=?/:,;|*()[]@!$+')}"
    connection.request("GET", target, headers={"Accept": "application/fhir+json", **request.headers})
    response = connection.getresponse()
    text = response.read().decode("utf-8")
    found = []
    if response.status != request.status:
        found.append(f"status {response.status}, not {request.status}: {text[:300]}")
    if not (response.getheader("Content-Type") or "").startswith("application/fhir+json"):
        found.append(f"Content-Type {response.getheader('Content-Type')}")
    try:
        body = json.loads(text)
        if body["resourceType"] != request.kind:
            found.append(f"a {body['resourceType']}, not a {request.kind}")
        elif not found and request.shows and not request.shows(body):
            found.append(f"the body does not show what it should ({request.shows.__name__}): {text[:300]}")
        found += judges.faults(body)
    except (ValueError, KeyError, TypeError) as error:
        found.append(f"{type(error).__name__} {error}: {text[:300]}")
    return found


def clients_bodies(checks, judges, met):
    """Judges each body that a client was given, once."""
    seen = set()
    with open(met, encoding="utf-8") as lines:
        for line in lines:
            if line not in seen:
                seen.add(line)
                body = json.loads(line)
                name = next((link["url"] for link in body.get("link", []) if link["relation"] == "self"), body.get("id"))
                checks.record(f"met by a client: {body['resourceType']} {name}", judges.faults(body))
    checks.record("the clients met Bundles", [] if seen else [f"{met} is empty"])


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
