"""The rows of the table: documented searches, each with parameters drawn anew from the data.

Every row is asked as it is documented: by default a page of 200 with all its includes.
"""

import random
from dataclasses import dataclass, field
from urllib.parse import quote

from . import facts

INCLUDES = ("&_include=HealthcareService:organization&_include:iterate=Organization:partof"
            "&_include=HealthcareService:location&_revinclude=PractitionerRole:service&_include=PractitionerRole:practitioner")
PLACES = "&_include=HealthcareService:location"
OFFERS = "&_revinclude=HealthcareService:location"
# Attempts to find one more set of parameters that differs from those before.
ATTEMPTS = 40


class Nothing(Exception):
    """Nothing in the extract can be asked about by a row."""


@dataclass
class Query:
    """One request: its path under the base, and the same values for the database."""

    path: str
    values: dict
    total: int = 0


@dataclass
class Row:
    """One line of the table. `includes` says what the database adds to the matches.

    Rows of kind `small` draw whole paths and are compared with the floor alone: their answers are so short that what a
    request costs by itself shows.
    """

    name: str
    about: str
    draw: object
    includes: tuple = ("orgs", "places", "roles", "persons")
    count: int = 200
    kind: str = "scenario"
    gzip: bool = False
    least: int = 0
    queries: list = field(default_factory=list)


def written(criteria):
    """A query string of (name, value)."""
    return "&".join(f"{name}={quote(str(value), safe='-._~:/,')}" for name, value in criteria)


def coded(found):
    """`system|code` as it travels in a request."""
    return f"{found[0]}|{found[1]}"


def array(parts):
    """A text array for the database."""
    return "{" + ",".join(parts) + "}"


def one(chance, values):
    """One of several, None of none."""
    return chance.choice(values) if values else None


def tokens(parameter, *found):
    return [facts.token(parameter, *each) for each in found]


class Drawer:
    """Draws the parameters of each row from a sample of offers."""

    def __init__(self, offers, seed):
        self.offers, self.chance = offers, random.Random(seed)
        self.with_list = {}
        self.with_lines = [(offer, line) for offer in offers for place in offer.places for line in facts.lines(place)]
        self.with_limits = [(offer, limit) for offer in offers for place in offer.places for limit in facts.limits(place)]

    def offer(self):
        return self.chance.choice(self.offers)

    def code(self, offer, parameter, lists=None):
        return one(self.chance, offer.codes(parameter, lists))

    def having(self, *lists):
        """An offer with a characteristic of each of these code lists."""
        if lists not in self.with_list:
            self.with_list[lists] = [each for each in self.offers
                                     if all(each.codes("characteristic", name) for name in lists)]
        return one(self.chance, self.with_list[lists])

    def place(self, offer):
        return one(self.chance, offer.places)

    def main_01(self):
        code = self.code(self.offer(), "specialty")
        return code and ([("specialty", coded(code))], {"all": array(tokens("specialty", code))})

    def main_02(self):
        both = [self.code(self.offer(), "specialty") for _ in range(2)]
        if not all(both):
            return None
        return [("specialty", ",".join(map(coded, both)))], {"any": array(tokens("specialty", *both))}

    def main_03(self):
        offer = self.having("R338")
        category = offer and self.code(offer, "service-category")
        if not category:
            return None
        kind = self.code(offer, "characteristic", "R338")
        return ([("service-category", coded(category)), ("characteristic", coded(kind))],
                {"all": array(tokens("service-category", category) + tokens("characteristic", kind))})

    def main_04(self):
        category, specialty = self.code(self.offer(), "service-category"), self.code(self.offer(), "specialty")
        if not category or not specialty:
            return None
        age = self.chance.randrange(0, 100)
        asked = (f"(((service-category eq {coded(category)}) or (specialty eq {coded(specialty)})) "
                 f"and (age-range-low le {age} and age-range-high ge {age}))")
        return [("_filter", asked)], {
            "any": array(tokens("service-category", category) + tokens("specialty", specialty)), "age": age}

    def main_05(self):
        offer = self.having("R210")
        act = offer and self.code(offer, "characteristic", "R210")
        category = self.code(self.offer(), "service-category")
        kind = one(self.chance, [found for found in offer.types if facts.listed(found[0]) == "R66"]) if offer else None
        if not act or not category or not kind:
            return None
        asked = f"((organization.type:above eq {coded(kind)}) or (service-category eq {coded(category)}))"
        return [("_filter", asked), ("characteristic", coded(act))], {
            "any": array(tokens("organization.type:above", kind) + tokens("service-category", category)),
            "all": array(tokens("characteristic", act))}

    def main_06(self):
        offer = self.offer()
        place, specialty = self.place(offer), self.code(offer, "specialty")
        position = (place or {}).get("position")
        if not position or not specialty:
            return None
        latitude = round(position["latitude"] + self.chance.uniform(-0.05, 0.05), 6)
        longitude = round(position["longitude"] + self.chance.uniform(-0.05, 0.05), 6)
        return ([("specialty", coded(specialty)), ("location.near", f"{latitude}|{longitude}|15|km")],
                {"all": array(tokens("specialty", specialty)), "lat": latitude, "lon": longitude})

    def main_07(self):
        offer = self.offer()
        found = [(name, self.code(offer, name)) for name in ("intervention-zone", "specialty", "service-category")]
        if not all(code for _, code in found):
            return None
        return ([(name, coded(code)) for name, code in found],
                {"all": array([facts.token(name, *code) for name, code in found])})

    def main_08(self):
        offer = self.having("R213", "R245")
        place = offer and self.place(offer)
        postal = place and facts.place(place)[0]
        category = offer and self.code(offer, "service-category")
        if not postal or not category:
            return None
        both = [self.code(offer, "characteristic", lists) for lists in ("R213", "R245")]
        return ([("location.address-postalcode", postal[:2]), ("service-category", coded(category)),
                 *(("characteristic", coded(each)) for each in both)],
                {"all": array([f"location.address-postalcode={postal[:2]}"] + tokens("service-category", category)
                              + tokens("characteristic", *both))})

    def main_09(self):
        offer = self.having("R210")
        return offer and self.two_places(offer, "R210", "location.address-postalcode", lambda place: facts.place(place)[0])

    def main_10(self):
        offer = self.having("R213")
        return offer and self.two_places(offer, "R213", "location.commune-cog", lambda place: facts.place(place)[1])

    def two_places(self, offer, lists, parameter, what):
        """In one place of the offer or one of another."""
        here, there = ([where for place in each.places if (where := what(place))] for each in (offer, self.offer()))
        specialty = self.code(offer, "specialty")
        if not here or not there or not specialty:
            return None
        both = [self.chance.choice(here), self.chance.choice(there)]
        kind = self.code(offer, "characteristic", lists)
        return ([(parameter, ",".join(both)), ("specialty", coded(specialty)), ("characteristic", coded(kind))],
                {"any": array(f"{parameter}={each}" for each in both),
                 "all": array(tokens("specialty", specialty) + tokens("characteristic", kind))})

    def main_11(self):
        offer = self.having("R338", "R253")
        if not offer:
            return None
        both = [self.code(offer, "characteristic", lists) for lists in ("R338", "R253")]
        return ([("characteristic", coded(each)) for each in both], {"all": array(tokens("characteristic", *both))})

    def main_12(self):
        tag = self.code(self.offer(), "_tag")
        if not tag:
            return None
        both = sorted(self.chance.sample([f"{number:02}" for number in range(1, 12)], 2))
        system = "https://mos.esante.gouv.fr/NOS/TRE_R352-StatutMetierAnomalie/FHIR/TRE-R352-StatutMetierAnomalie"
        return ([("_tag", coded(tag)), ("_has:Task:focus:business-status", ",".join(f"{system}|{each}" for each in both))],
                {"all": array(tokens("_tag", tag)), "status": array(both)})

    def line(self, *parts):
        """An offer with a specialty and a capacity line that has these parts and a number above zero."""
        for _ in range(200):
            offer, found = self.chance.choice(self.with_lines) if self.with_lines else (None, None)
            if offer and found[5] and all(found[part] for part in parts) and (specialty := self.code(offer, "specialty")):
                return specialty, found
        return None, None

    def capacity(self, *named):
        """A search by a capacity line: (parameter, address of its codes, place in the line)."""
        specialty, found = self.line(*(part for _, _, part in named))
        if not specialty:
            return None
        asked = [("specialty", coded(specialty))]
        asked += [(f"location.{name}", f"{system}|{found[part]}") for name, system, part in named]
        values = {"all": array(tokens("specialty", specialty))}
        values |= {("kind", "status", "temporality", "gender", "closing")[part]: found[part] for _, _, part in named}
        return asked + [("location.nb-capacity", "gt0")], values

    def capsearch_01(self):
        return self.capacity(("capacity-type", lists("R329-NatureCapacite"), 0),
                             ("gender-capacity-available", lists("R332-GenreCapacite"), 3),
                             ("temporality-capacity", lists("R331-TemporaliteCapacite"), 2),
                             ("capacity-status", lists("R330-TypeStatutCapacite"), 1))

    def capsearch_02(self):
        return self.capacity(("capacity-type", lists("R329-NatureCapacite"), 0),
                             ("capacity-closing-type", lists("R333-TypeFermetureCapacite"), 4),
                             ("capacity-status", lists("R330-TypeStatutCapacite"), 1))

    def capsearch_03(self):
        heavy = [(offer, limit) for offer, limit in self.with_limits if limit[2] and limit[2] >= 1]
        offer, limit = self.chance.choice(heavy) if heavy else (None, None)
        specialty = offer and self.code(offer, "specialty")
        if not specialty:
            return None
        least = self.chance.randint(1, int(limit[2]))
        return ([("specialty", coded(specialty)),
                 ("location.equipment-type", f"{lists('R212-Equipement')}|{limit[0]}"),
                 ("location.equipment-feature", f"{lists('R340-TypeCaracteristiqueEquipement')}|{limit[1]}"),
                 ("location.limit-value", f"ge{least}|http://unitsofmeasure.org|kg")],
                {"all": array(tokens("specialty", specialty)), "equipment": limit[0], "feature": limit[1], "kg": least})

    def capacity_01bis(self):
        found = {postal[:2] for _ in range(4) if (place := self.place(self.offer())) and (postal := facts.place(place)[0])}
        return found and ([("address-postalcode", ",".join(sorted(found)))],
                          {"any": array(sorted(found))})

    def capacity_02(self):
        place = self.place(self.offer())
        names = facts.place(place)[4] if place else []
        return names and ([("identifier", names[0])], {"identifier": names[0]})

    def page(self):
        """A search that finds many: by region, specialty or category, or two of them."""
        names = self.chance.choice([("_tag",), ("specialty",), ("service-category",), ("_tag", "specialty"),
                                    ("_tag", "service-category"), ("service-type", "_tag"), ("service-type", "specialty")])
        offer = self.offer()
        found = [(name, self.code(offer, name)) for name in names]
        if not all(code for _, code in found):
            return None
        return ([(name, coded(code)) for name, code in found],
                {"all": array([facts.token(name, *code) for name, code in found])})

    def read(self):
        """An offer by its address."""
        return f"/HealthcareService/{quote(self.offer().body['id'])}"

    def one(self):
        """An offer by its id, as a Bundle of one."""
        return f"/HealthcareService?_id={quote(self.offer().body['id'])}"

    def counted(self):
        """How many offers a page would be of, and nothing of them."""
        drawn = self.page()
        return drawn and f"/HealthcareService?{written(drawn[0])}&_summary=count"


def lists(name):
    """The address of a code system."""
    return f"https://mos.esante.gouv.fr/NOS/TRE_{name}/FHIR/TRE-{name}"


def rows(drawer):
    """All rows, nothing drawn yet."""
    place = ("places",)
    return [
        Row("main-01", "a specialty", drawer.main_01),
        Row("main-02", "one of two specialties", drawer.main_02),
        Row("main-03", "category and way of reception", drawer.main_03),
        Row("main-04", "category or specialty, and an age", drawer.main_04),
        Row("main-05", "type of establishment at any level or category, and an act", drawer.main_05),
        Row("main-06", "specialty within 15 km of a point, nearest first", drawer.main_06),
        Row("main-07", "zone of intervention, specialty, category", drawer.main_07),
        Row("main-08", "department, category, two characteristics", drawer.main_08),
        Row("main-09", "one of two postal codes, specialty, act", drawer.main_09),
        Row("main-10", "one of two communes, specialty, mode of care", drawer.main_10),
        Row("main-11", "two characteristics", drawer.main_11),
        Row("main-12", "region, with an anomaly of one of two statuses", drawer.main_12,
            ("orgs", "places", "roles", "persons", "tasks")),
        Row("capsearch-01", "specialty, and a capacity line by five criteria", drawer.capsearch_01, place),
        Row("capsearch-02", "specialty, and a capacity line that is closed", drawer.capsearch_02, place),
        Row("capsearch-03", "specialty, and equipment that bears a weight", drawer.capsearch_03, place),
        Row("capacity-01bis", "places of up to four departments, with their offers", drawer.capacity_01bis, ("offers",)),
        Row("capacity-02", "a place by its identifier, with its offers", drawer.capacity_02, ("offers",)),
        *(Row(f"page-{count}{'-gzip' if gzip else ''}", f"a page of {count} offers with all includes{', gzip' if gzip else ''}",
              drawer.page, count=count, kind="page", gzip=gzip, least=count)
          for count in (20, 100, 200) for gzip in (False, True)),
        *(Row(f"{name}{'-gzip' if gzip else ''}", f"{about}{', gzip' if gzip else ''}", draw, kind="small", gzip=gzip)
          for name, about, draw in (("small-read", "an offer by its address", drawer.read),
                                    ("small-one", "an offer by its id, in a Bundle", drawer.one),
                                    ("small-count", "the number of offers of a page", drawer.counted))
          for gzip in (False, True)),
    ]


def path(row, criteria):
    """The request of a row."""
    kind = "Location" if row.includes == ("offers",) else "HealthcareService"
    text = f"/{kind}?{written(criteria)}"
    if row.kind == "page":
        text += f"&_count={row.count}"
    if row.includes == ("offers",):
        return text + OFFERS
    if row.includes == ("places",):
        return text + PLACES
    return text + INCLUDES + ("&_revinclude=Task:focus" if "tasks" in row.includes else "")


def fill(row, server, wanted):
    """Draws distinct requests for a row, as many as wanted or as can be found, and keeps their totals.

    The gzip row of a page asks the same as the plain one: whoever fills it copies them.
    """
    seen = set()
    for _ in range(wanted * ATTEMPTS):
        if len(row.queries) >= wanted:
            break
        drawn = row.draw()
        if not drawn:
            continue
        asked = drawn if row.kind == "small" else path(row, drawn[0])
        if asked in seen:
            continue
        seen.add(asked)
        if row.kind == "small":
            row.queries.append(Query(asked, {}, 1))
            continue
        plain = asked.partition("&_include")[0].partition("&_revinclude")[0].partition("&_count")[0]
        total = server.total(plain + "&_count=0")
        # Pages must be full; any other search must find something, as one by a person who knows the directory does.
        if total >= max(row.least, 1):
            row.queries.append(Query(asked, drawn[1], total))
    if not row.queries:
        raise Nothing(f"{row.name}: the extract holds nothing to ask about; more offers would")
