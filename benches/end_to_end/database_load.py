"""Brings an extract into PostgreSQL: bodies in one table, and what is searched in columns made for it."""

import json
import subprocess
from collections import defaultdict

from . import facts
from .machine import Wrong

# Rows are numbered in Rorqual's order, so that both cut the same pages; each type has numbers of its own.
STEP = 100_000_000
TYPES = ("HealthcareService", "Location", "Organization", "PractitionerRole", "Practitioner", "Task")

# Nothing here must survive a crash: unlogged tables load faster and are read the same.
TABLES = """
CREATE EXTENSION IF NOT EXISTS postgis;
CREATE UNLOGGED TABLE resource (n int NOT NULL, body {body} NOT NULL);
ALTER TABLE resource ALTER body SET COMPRESSION lz4;
CREATE UNLOGGED TABLE offer (n int NOT NULL, tokens text[] NOT NULL, low float8, high float8, orgs int[] NOT NULL,
  places int[] NOT NULL, roles int[] NOT NULL, persons int[] NOT NULL, tasks int[] NOT NULL);
CREATE UNLOGGED TABLE place (n int NOT NULL, postal text COLLATE "C", position geography(point), offers int[] NOT NULL);
CREATE UNLOGGED TABLE place_identifier (value text COLLATE "C" NOT NULL, place int NOT NULL);
CREATE UNLOGGED TABLE line (offer int NOT NULL, kind text COLLATE "C", status text COLLATE "C", temporality text COLLATE "C",
  gender text COLLATE "C", closing text COLLATE "C", number int);
CREATE UNLOGGED TABLE capability (offer int NOT NULL, equipment text COLLATE "C", feature text COLLATE "C", kg float8);
CREATE UNLOGGED TABLE anomaly (offer int NOT NULL, status text COLLATE "C");
"""

# Relations are stored as arrays of row numbers on the offer: reading a page joins nothing but bodies.
# fastupdate has no use once loaded; the statistics of the tokens decide which criterion an intersection begins with.
INDEXES = """
SET maintenance_work_mem = '1GB';
ALTER TABLE resource ADD PRIMARY KEY (n);
ALTER TABLE offer ADD PRIMARY KEY (n);
ALTER TABLE place ADD PRIMARY KEY (n);
CREATE INDEX ON offer USING gin (tokens) WITH (fastupdate = off);
CREATE INDEX ON offer (low, high);
CREATE INDEX ON place (postal) INCLUDE (n);
CREATE INDEX ON place USING gist (position);
CREATE INDEX ON place_identifier (value) INCLUDE (place);
CREATE INDEX ON line (kind, status, temporality, gender, closing) INCLUDE (offer) WHERE number > 0;
CREATE INDEX ON line (offer) INCLUDE (kind, status, temporality, gender, closing) WHERE number > 0;
CREATE INDEX ON capability (equipment, feature, kg) INCLUDE (offer);
CREATE INDEX ON capability (offer);
CREATE INDEX ON anomaly (status) INCLUDE (offer);
ALTER TABLE offer ALTER tokens SET STATISTICS 2000;
VACUUM (ANALYZE);
"""


class Copy:
    """Feeds one table; columns are separated by tabs, and nothing stands for no value."""

    def __init__(self, command, table):
        self.table = table
        self.process = subprocess.Popen([*command, "-c", f"COPY {table} FROM STDIN"], stdin=subprocess.PIPE,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, encoding="utf-8")

    def row(self, *values):
        try:
            self.process.stdin.write("\t".join(map(column, values)) + "\n")
        except BrokenPipeError:
            raise Wrong(f"PostgreSQL: {self.table}: {self.process.stderr.read()[-500:]}") from None

    def close(self):
        said = self.process.communicate()[1]
        if self.process.returncode:
            raise Wrong(f"PostgreSQL: {self.table}: {said[-500:]}")


def column(value):
    """A value as COPY reads it."""
    if value is None:
        return "\\N"
    if isinstance(value, list):
        return "{" + ",".join(map(str, value)) + "}"
    return str(value).replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n")


class Loader:
    """Reads each type once, in the order in which the next one needs what was read."""

    def __init__(self, extract, command, order):
        self.extract, self.command = extract, command
        self.numbers = {kind: {} for kind in TYPES}
        for kind, ids in order.items():
            first = TYPES.index(kind) * STEP
            self.numbers[kind] = {one: first + at for at, one in enumerate(ids, 1)}

    def load(self):
        """Fills every table; returns how many resources there are."""
        self.copies = {name: Copy(self.command, name) for name in
                       ("resource", "offer", "place", "place_identifier", "line", "capability", "anomaly")}
        self.tasks()
        self.organisations()
        for _ in self.read("Practitioner"):
            pass
        self.roles()
        self.place_facts()
        self.offers()
        for one in self.copies.values():
            one.close()
        return sum(map(len, self.numbers.values()))

    def read(self, kind):
        """(id, number, body) of each resource; each body goes to its table."""
        numbers, first, out = self.numbers[kind], TYPES.index(kind) * STEP, self.copies["resource"]
        with open(self.extract / f"{kind}.ndjson", encoding="utf-8") as file:
            for text in file:
                text = text.rstrip("\n")
                if not text:
                    continue
                body = json.loads(text)
                number = numbers.setdefault(body["id"], first + len(numbers) + 1)
                out.row(number, text)
                yield body["id"], number, body

    def tasks(self):
        """Anomalies of offers, by the offer's id or, where only that is given, its identifier."""
        self.by_id, self.by_identifier = defaultdict(list), defaultdict(list)
        for _, number, body in self.read("Task"):
            focus = body.get("focus", {})
            statuses = [code for _, code in facts.codings(body.get("businessStatus"))]
            status = statuses[0] if statuses else None
            if one := facts.target(focus, "HealthcareService"):
                self.by_id[one].append((number, status))
            elif focus.get("type") == "HealthcareService" and "reference" not in focus and "identifier" in focus:
                name = focus["identifier"]
                self.by_identifier[name.get("value")].append((number, status, name.get("system")))

    def organisations(self):
        """Types and parents, for all levels above an offer."""
        self.types, self.parents = {}, {}
        for one, _, body in self.read("Organization"):
            types, parent = facts.organisation(body)
            self.types[one] = [facts.token("organization.type:above", *found) for found in types]
            if parent:
                self.parents[one] = parent

    def above(self, one):
        """An organisation and all it is part of; a circle ends the climb."""
        found = []
        while one in self.types and one not in found:
            found.append(one)
            one = self.parents.get(one)
        return found

    def roles(self):
        """Roles and professionals of each offer."""
        self.roles_of, self.persons_of = defaultdict(list), defaultdict(set)
        for _, number, body in self.read("PractitionerRole"):
            person = self.numbers["Practitioner"].get(facts.target(body.get("practitioner"), "Practitioner"))
            for reference in body.get("healthcareService", ()):
                if offer := facts.target(reference, "HealthcareService"):
                    self.roles_of[offer].append(number)
                    if person:
                        self.persons_of[offer].add(person)

    def place_facts(self):
        """What offers take from their places. A place's own row waits for its offers."""
        self.places, self.lines, self.limits = {}, {}, {}
        for one, number, body in self.read("Location"):
            postal, commune, latitude, longitude, names = facts.place(body)
            found = [f"location.address-postalcode={postal[:2]}", f"location.address-postalcode={postal}"] if postal else []
            if commune:
                found.append(f"location.commune-cog={commune}")
            point = None if latitude is None or longitude is None else f"SRID=4326;POINT({longitude} {latitude})"
            self.places[one] = (postal, point, found, [])
            if lines := list(facts.lines(body)):
                self.lines[one] = lines
            if limits := list(facts.limits(body)):
                self.limits[one] = limits
            for name in names:
                self.copies["place_identifier"].row(name, number)

    def offers(self):
        """Offers with all that a search asks of them, then places with the numbers of their offers."""
        numbers, copies = self.numbers, self.copies
        for one, number, body in self.read("HealthcareService"):
            coded, low, high, places, parent = facts.offer(body)
            tokens = {facts.token(*found) for found in coded}
            organisations = self.above(parent)
            for level in organisations:
                tokens.update(self.types[level])
            places = [place for place in places if place in self.places]
            for place in places:
                tokens.update(self.places[place][2])
                self.places[place][3].append(number)
                for found in self.lines.get(place, ()):
                    copies["line"].row(number, *found)
                for found in self.limits.get(place, ()):
                    copies["capability"].row(number, *found)
            tasks = list(self.by_id.get(one, ()))
            for name in body.get("identifier", ()):
                tasks += [(task, status) for task, status, system in self.by_identifier.get(name.get("value"), ())
                          if system is None or system == name.get("system")]
            for _, status in tasks:
                copies["anomaly"].row(number, status)
            copies["offer"].row(number, sorted(tokens), low, high, [numbers["Organization"][each] for each in organisations],
                                [numbers["Location"][each] for each in places], self.roles_of.get(one, []),
                                sorted(self.persons_of.get(one, ())), sorted({task for task, _ in tasks}))
        for one, (postal, point, _, found) in self.places.items():
            copies["place"].row(numbers["Location"][one], postal, point, sorted(found))
