"""Draws offers from an extract, with their places and organisations, so that what is asked about exists.

The offers come from random places of the file, by a seed; what they refer to is asked of the server.
"""

import json
import random
import re
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from urllib.parse import quote

from . import facts
from .machine import Wrong

# Offers drawn, and how many of them one request asks about.
OFFERS, BATCH = 4000, 100
# An answer must have come within this time, in seconds.
PATIENCE = 60


@dataclass
class Offer:
    """An offer of the extract and what belongs to it."""

    body: dict
    coded: list
    low: float | None
    high: float | None
    places: list = field(default_factory=list)
    types: list = field(default_factory=list)

    def codes(self, parameter, lists=None):
        """(system, code) of a criterion, of one code list or of any."""
        return [(system, code) for name, system, code in self.coded
                if name == parameter and (lists is None or facts.listed(system) == lists)]


class Server:
    """Asks a FHIR server, one request after the other."""

    def __init__(self, base):
        self.base = base

    def fetch(self, path, gzip=False):
        """The body of an answer as it came; anything but 200 is an error."""
        headers = {"Accept": "application/fhir+json"} | ({"Accept-Encoding": "gzip"} if gzip else {})
        try:
            with urllib.request.urlopen(urllib.request.Request(self.base + path, headers=headers), timeout=PATIENCE) as answer:
                if gzip != (answer.headers.get("Content-Encoding") == "gzip"):
                    raise Wrong(f"{path}: gzip was {'' if gzip else 'not '}asked for, and it {'was not' if gzip else 'was'} sent")
                return answer.read()
        except urllib.error.HTTPError as error:
            raise Wrong(f"{path}: {error.code} {error.read()[:300].decode(errors='replace')}") from None
        except OSError as error:
            raise Wrong(f"{path}: {error}") from None

    def compresses(self, path):
        """Whether an answer comes as gzip when that is asked for."""
        asked = urllib.request.Request(self.base + path, headers={"Accept-Encoding": "gzip"})
        with urllib.request.urlopen(asked, timeout=PATIENCE) as answer:
            return answer.headers.get("Content-Encoding") == "gzip"

    def total(self, path):
        """How many resources match."""
        return found_total(self.fetch(path))

    def bundle(self, path):
        """An answer, read."""
        return json.loads(self.fetch(path))

    def ids(self, path):
        """`Type/id` of every match, in order, over all pages; nothing included."""
        found, bundle = [], self.bundle(f"{path}&_elements=id&_count=1000")
        while True:
            found += [f"{one['resource']['resourceType']}/{one['resource']['id']}" for one in bundle.get("entry", ())
                      if one["search"]["mode"] == "match"]
            following = next((link["url"] for link in bundle["link"] if link["relation"] == "next"), None)
            if not following:
                return found
            bundle = self.bundle("/" + following.split("/fhir/", 1)[1])


def found_total(body):
    """The total in a Bundle, without reading all of it."""
    found = re.search(rb'"total"\s*:\s*(\d+)', body[:4096]) or re.search(rb'"total"\s*:\s*(\d+)', body[-4096:])
    return int(found.group(1)) if found else int(json.loads(body)["total"])


def draw(extract, server, seed):
    """Offers of the extract, each once, with their places and the types of their organisations."""
    path = extract / "HealthcareService.ndjson"
    if not path.is_file():
        raise Wrong(f"{path} is not there: parameters are drawn from an uncompressed NDJSON extract, one file per type")
    chance, size, offers = random.Random(seed), path.stat().st_size, {}
    with open(path, "rb") as file:
        for _ in range(OFFERS):
            file.seek(chance.randrange(size))
            file.readline()
            line = file.readline()
            if line.strip():
                body = json.loads(line)
                offers.setdefault(body["id"], body)
    found = []
    bodies = list(offers.values())
    for begin in range(0, len(bodies), BATCH):
        part = bodies[begin:begin + BATCH]
        about = ",".join(quote(body["id"]) for body in part)
        bundle = server.bundle(f"/HealthcareService?_id={about}&_count={BATCH}&_include=HealthcareService:location"
                               "&_include=HealthcareService:organization&_include:iterate=Organization:partof")
        known = {(one["resource"]["resourceType"], one["resource"]["id"]): one["resource"] for one in bundle["entry"]}
        found += [complete(body, known) for body in part]
    return found


def complete(body, known):
    """An offer with the places and organisations among the resources known."""
    coded, low, high, places, parent = facts.offer(body)
    made = Offer(body, coded, low, high)
    made.places = [known["Location", one] for one in places if ("Location", one) in known]
    seen = set()
    while parent and parent not in seen and ("Organization", parent) in known:
        seen.add(parent)
        types, parent = facts.organisation(known["Organization", parent])
        made.types += types
    return made
