"""What was measured, as text: the table, the sums over it, and the rows that are lost."""

import math

# What the project wants of each comparison: share of the floor for small and large pages, and times a peer.
SMALL_PAGE, LARGE_PAGE, DATABASE, FHIR = 0.6, 0.8, 30, 100
SHARES = {"page-20": SMALL_PAGE, "page-100": LARGE_PAGE, "page-200": LARGE_PAGE}
# The rows over which a peer is compared.
COMPARED = tuple(f"main-{number:02}" for number in range(1, 13)) + tuple(f"capsearch-{number:02}" for number in range(1, 4))


def number(value):
    """Three digits that matter, thin spaces between thousands."""
    if value is None:
        return "–"
    if value >= 100:
        return f"{value:,.0f}".replace(",", " ")
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def mean(values):
    """The geometric mean: ratios are compared by it. None of nothing."""
    values = [value for value in values if value and value > 0]
    return math.exp(sum(map(math.log, values)) / len(values)) if values else None


def ratio(mine, theirs):
    return mine.rate / theirs.rate if mine and theirs and theirs.rate else None


def markdown(heads, lines):
    """A table; the first column is text, the others are numbers."""
    widths = [max(len(line[at]) for line in [heads, *lines]) for at in range(len(heads))]
    shown = []
    for cells in [heads, None, *lines]:
        if cells is None:
            shown.append("|" + "|".join("-" * (width + 1) + (":" if at else "-") for at, width in enumerate(widths)) + "|")
            continue
        padded = [cell.rjust(width) if at else cell.ljust(width) for at, (cell, width) in enumerate(zip(cells, widths))]
        shown.append("| " + " | ".join(padded) + " |")
    return "\n".join(shown)


def asked(row):
    """Which row, how many requests, and the median of their matches."""
    totals = sorted(query.total for query in row.queries)
    return [row.name, str(len(row.queries)), str(totals[len(totals) // 2])]


def shown(found):
    """What one server did."""
    return [number(found and getattr(found, what)) for what in ("rate", "median", "p99", "cpu")]


def lighter(mine, theirs):
    """How many times the processor time of a request a peer needs."""
    return theirs.cpu / mine.cpu if mine and theirs and mine.cpu else None


def main_table(rows, results):
    """Rorqual and the floor, row by row."""
    heads = ["row", "requests", "matches", "Rorqual r/s", "median ms", "p99 ms", "CPU ms", "MB/s",
             "floor r/s", "median ms", "p99 ms", "CPU ms", "of floor"]
    lines = []
    for row in rows:
        mine, floor = results[row.name]["rorqual"], results[row.name].get("floor")
        lines.append(asked(row) + shown(mine) + [number(mine.megabytes)] + shown(floor) + [number(ratio(mine, floor))])
    return markdown(heads, lines)


def peer_table(rows, results, peer):
    """Rorqual and a peer, in the rows that both answer alike."""
    heads = ["row", "requests", "matches", "Rorqual r/s", "median ms", "p99 ms", "CPU ms",
             f"{peer} r/s", "median ms", "p99 ms", "CPU ms", "times r/s", "times CPU"]
    lines = []
    for row in rows:
        mine, theirs = results[row.name]["rorqual"], results[row.name].get(peer)
        if theirs:
            lines.append(asked(row) + shown(mine) + shown(theirs) + [number(ratio(mine, theirs)), number(lighter(mine, theirs))])
    return markdown(heads, lines)


def sums(rows, results, peer, goal):
    """One sentence on a peer over the compared rows; nothing when it was not measured."""
    pairs = [(row.name, results[row.name]["rorqual"], results[row.name][peer]) for row in rows
             if row.name in COMPARED and results.get(row.name, {}).get(peer)]
    if not pairs:
        return []
    ratios = {name: ratio(mine, theirs) for name, mine, theirs in pairs}
    light = {name: lighter(mine, theirs) for name, mine, theirs in pairs}
    tails = {name: mine.p99 / theirs.p99 for name, mine, theirs in pairs if theirs.p99}
    least, most = min(ratios, key=ratios.get), max(ratios, key=ratios.get)
    below = [name for name in ratios if ratios[name] < goal]
    slow = [name for name in tails if tails[name] > 0.1]
    said = [f"{len(pairs)} of {len(COMPARED)} compared rows: {number(mean(ratios.values()))} times the requests per second "
            f"(geometric mean; least {number(ratios[least])}, {least}; most {number(ratios[most])}, {most}); "
            f"p99 {number(mean(tails.values()))} of the peer's; the peer needs {number(mean(light.values()))} times the processor "
            "time of a request."]
    said.append(f"Below {goal} times: {', '.join(below)}." if below else f"Every one is {goal} times or more.")
    said.append(f"p99 above a tenth of the peer's: {', '.join(slow)}." if slow else "Every p99 is below a tenth of the peer's.")
    return said


def lost(rows, results, peers):
    """Rows in which a peer serves more requests a second or has the lower median or p99, and pages below their share."""
    said = []
    for row in rows:
        mine = results[row.name]["rorqual"]
        for peer in peers:
            theirs = results[row.name].get(peer)
            if not theirs:
                continue
            if peer == "floor":
                wanted, found = SHARES.get(row.name.removesuffix("-gzip")), ratio(mine, theirs)
                if wanted and found < wanted:
                    said.append(f"{row.name}: {number(found)} of the floor, {wanted} is wanted")
                continue
            for what, worse in (("requests per second", mine.rate < theirs.rate), ("median", mine.median > theirs.median),
                                ("p99", mine.p99 > theirs.p99)):
                if worse:
                    said.append(f"{row.name}: the {peer} has the better {what}")
    return said


def plain(rows, results):
    """Everything, for JSON."""
    return [{"row": row.name, "about": row.about, "requests": len(row.queries),
             "matches": [query.total for query in row.queries],
             **{peer: found.plain() for peer, found in results[row.name].items()}} for row in rows if row.name in results]
