"""The rows of the table as SQL: the same question, the exact total, and the page with its includes as one JSON array."""

# How offers are found. A name after a colon is a parameter; `o` is the table of offers.
ALL, ANY = "o.tokens @> :v_all::text[]", "o.tokens && :v_any::text[]"
LINE = ("o.n IN (SELECT l.offer FROM line l WHERE l.number > 0 AND l.kind = :v_kind::text AND l.status = :v_status::text "
        "AND {more})")
CONDITIONS = {
    "main-02": ANY,
    "main-04": f"{ANY} AND o.low <= :v_age::float8 AND o.high >= :v_age::float8",
    "main-05": f"{ALL} AND {ANY}",
    "main-09": f"{ALL} AND {ANY}",
    "main-10": f"{ALL} AND {ANY}",
    "main-12": f"{ALL} AND o.n IN (SELECT a.offer FROM anomaly a WHERE a.status = ANY (:v_status::text[]))",
    "capsearch-01": f"{ALL} AND " + LINE.format(
        more="l.gender = :v_gender::text AND l.temporality = :v_temporality::text"),
    "capsearch-02": f"{ALL} AND " + LINE.format(more="l.closing = :v_closing::text"),
    "capsearch-03": f"{ALL} AND o.n IN (SELECT c.offer FROM capability c WHERE c.equipment = :v_equipment::text "
                    "AND c.feature = :v_feature::text AND c.kg >= :v_kg::float8)",
}
# Nearest first, by the nearest place of each offer; a sphere, not the ellipsoid, as Rorqual measures.
POINT = "ST_SetSRID(ST_MakePoint(:v_lon::float8, :v_lat::float8), 4326)::geography"
NEAR = f"""SELECT o.n, min(ST_Distance(p.position, {POINT}, false)) AS rank
  FROM place p CROSS JOIN LATERAL unnest(p.offers) AS f(n) JOIN offer o ON o.n = f.n
  WHERE ST_DWithin(p.position, {POINT}, 15000, false) AND {ALL} GROUP BY o.n"""
PLACES = {
    # The prefixes are those of departments: none begins another, so that no place is found twice.
    "capacity-01bis": "SELECT p.n, p.n AS rank FROM unnest(:v_any::text[]) AS w(begin) "
                      "JOIN place p ON p.postal >= w.begin AND p.postal < w.begin || '~'",
    "capacity-02": "SELECT i.place AS n, i.place AS rank FROM place_identifier i WHERE i.value = :v_identifier::text",
}


def matches(row):
    """All matches: their numbers and what orders them."""
    if row.name in PLACES:
        return PLACES[row.name]
    if row.name == "main-06":
        return NEAR
    return f"SELECT o.n, o.n AS rank FROM offer o WHERE {CONDITIONS.get(row.name, ALL)}"


def ids(row):
    """The numbers of all matches, in order."""
    return f"SELECT m.n FROM ({matches(row)}) m ORDER BY m.rank, m.n"


def answer(row, body):
    """The total, and the page with its includes as the text of a JSON array. `body` is how a body becomes text."""
    table = "place" if row.includes == ("offers",) else "offer"
    drawn = " UNION ".join(f"SELECT unnest(t.{name}) FROM page JOIN {table} t USING (n)" for name in row.includes)
    return f"""WITH m AS MATERIALIZED ({matches(row)}),
page AS MATERIALIZED (SELECT m.n FROM m ORDER BY m.rank, m.n LIMIT {row.count}),
wanted AS (SELECT n FROM page UNION {drawn})
SELECT (SELECT count(*) FROM m) AS total, '[' || string_agg({body}, ',') || ']' AS resources
FROM wanted JOIN resource r USING (n)"""


def bound(sql, values):
    """A statement with its parameters written in, for checking."""
    for name in sorted(values, key=len, reverse=True):
        sql = sql.replace(f":v_{name}", "'" + str(values[name]).replace("'", "''") + "'")
    return sql
