"""Drives the server with PyPI fhirpy, as released.

usage: fhirpy_client.py BASE_URL MET   MET: a file to which each body met is added, one JSON text per line
"""

import json
import sys
from pathlib import Path

import zstandard
from fhirpy import SyncFHIRClient
from fhirpy.base.exceptions import OperationOutcome, ResourceNotFound
from fhirpy.base.searchset import Raw
from pydantic.datetime_parse import parse_datetime

from checks import Checks

EXTRACT = Path(__file__).resolve().parents[3] / "fixtures/extract"


def extract_ids(kind):
    """The ids of a type in the extract that is served."""
    text = zstandard.ZstdDecompressor().stream_reader((EXTRACT / f"{kind}.ndjson.zst").read_bytes()).read().decode("utf-8")
    return sorted(json.loads(line)["id"] for line in text.splitlines() if line.strip())


def main(base, met):
    log = open(met, "a", encoding="utf-8")

    def record(response, *_, **__):
        if response.content:
            log.write(json.dumps(response.json()) + "\n")

    # The hook is an option of the client; nothing of the client is changed.
    options = {"hooks": {"response": record}}
    client = SyncFHIRClient(base, requests_config=options)
    lenient = SyncFHIRClient(base, requests_config=options, extra_headers={"Prefer": "handling=lenient"})
    checks = Checks("fhirpy")

    def pages():
        """following next links to the end gives every resource of the extract once"""
        found = [one.id for one in client.resources("Practitioner").limit(250).fetch_all()]
        assert sorted(found) == extract_ids("Practitioner"), f"{len(found)} ids"

    def sorted_pages():
        """a sorted search keeps its order across pages"""
        found = [one.meta.lastUpdated for one in client.resources("Task").sort("-_lastUpdated").limit(7).fetch_all()]
        assert len(found) == len(extract_ids("Task")), len(found)
        moments = [parse_datetime(moment) for moment in found]
        assert moments == sorted(moments, reverse=True), found

    def one_page():
        """fetch() stops after one page, fetch_raw() gives the Bundle"""
        search = client.resources("HealthcareService").search(specialty="013").limit(5)
        bundle = search.fetch_raw()
        assert bundle.total > 5 and len(bundle.entry) == 5, bundle.total
        assert [e.resource.id for e in bundle.entry] == [one.id for one in search.fetch()]

    def search_builder():
        """parameters, prefixes, modifiers and chains as the client builds them"""
        offers = client.resources("HealthcareService")
        assert offers.search(_lastUpdated__ge="2020-01-01", age_range_low__le=18).limit(1).fetch_raw().total > 0
        assert offers.search(location__address_city="nantes").limit(1).fetch_raw().total > 0
        assert offers.search(organization__Organization__name__contains="nantes").limit(1).fetch_raw().total > 0
        assert offers.search(name__missing=False).limit(1).fetch_raw().total > 0
        assert offers.has("PractitionerRole", "service", **{"practitioner.identifier:missing": "false"}).limit(1).fetch_raw().total > 0

    def special_characters():
        """values with bars, blanks and accents arrive as they were meant"""
        near = client.resources("Location").search(near="47.2184|-1.5536|5|km").limit(3).fetch_raw()
        assert near.total > 0 and near.entry[0].search.extension[0].url.endswith("location-distance")
        found = client.resources("Organization").search(Raw(_filter='name co "hôpital" or name co "clinique"')).limit(1).fetch_raw()
        assert found.total > 0

    def follow_includes():
        """included resources come with the page and are those that the matches refer to"""
        search = client.resources("HealthcareService").limit(20).include("HealthcareService", "organization")
        bundle = search.include("HealthcareService", "location").fetch_raw()
        got = {f"{e.resource.resourceType}/{e.resource.id}" for e in bundle.entry if e.search.mode == "include"}
        named = [e.resource.providedBy.reference for e in bundle.entry if e.search.mode == "match"]
        assert got and set(named) <= got, set(named) - got

    def reverse_includes():
        """reverse includes come with the page"""
        bundle = client.resources("Location").limit(20).revinclude("HealthcareService", "location").fetch_raw()
        offers = [e.resource for e in bundle.entry if e.resource.resourceType == "HealthcareService"]
        places = {f"Location/{e.resource.id}" for e in bundle.entry if e.search.mode == "match"}
        assert offers and all(places & {place.reference for place in offer.location} for offer in offers)

    def read():
        """a resource is read by id, and a reference leads to its target"""
        place = client.get("Location", "140")
        assert place.resourceType == "Location" and place.id == "140"
        offer = client.resources("HealthcareService").search(identifier__missing=False).first()
        target = client.reference(reference=offer.providedBy.reference).to_resource()
        assert target.resource_type == "Organization" and f"Organization/{target.id}" == offer.providedBy.reference

    def single():
        """get() of a search finds the one resource"""
        assert client.resources("Practitioner").search(_id="245876").get().id == "245876"

    def capability():
        """the CapabilityStatement is that of an R4 server and lists what is searched here"""
        statement = client.execute("metadata", method="get")
        assert statement.resourceType == "CapabilityStatement" and statement.fhirVersion == "4.0.1"
        types = {one.type for one in statement.rest[0].resource}
        assert types == {path.name.split(".")[0] for path in EXTRACT.glob("*.ndjson.zst")}, types

    def elements():
        """elements() cuts resources down, with the names that this client adds by itself"""
        bundle = client.resources("HealthcareService").elements("name").limit(5).fetch_raw()
        assert all("name" in e.resource and "providedBy" not in e.resource for e in bundle.entry)

    def count():
        """count() needs lenient handling: it sends a parameter of another server, _totalMethod"""
        assert lenient.resources("Organization").count() == len(extract_ids("Organization"))
        try:
            client.resources("Organization").count()
        except OperationOutcome as error:
            assert "_totalMethod" in json.dumps(error.resource), error
        else:
            raise AssertionError("an unknown parameter was ignored in silence")

    def refusal():
        """a refused search raises the OperationOutcome"""
        try:
            client.resources("HealthcareService").search(colour="blue").fetch()
        except OperationOutcome as error:
            issue = error.resource["issue"][0]
            assert issue["severity"] == "error" and "colour" in issue["diagnostics"], issue
        else:
            raise AssertionError("not refused")

    def unknown():
        """reading what does not exist raises ResourceNotFound with the OperationOutcome"""
        try:
            client.get("HealthcareService", "none-such")
        except ResourceNotFound as error:
            assert json.loads(str(error))["issue"][0]["code"] == "not-found", error
        else:
            raise AssertionError("found")

    for check in [
        pages, sorted_pages, one_page, search_builder, special_characters, follow_includes, reverse_includes, read, single,
        capability, elements, count, refusal, unknown,
    ]:  # fmt: skip
        checks.run(check)
    log.close()
    return checks.finish()


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
