"""Light searches beside heavy ones: what the many wait for while a few ask for very much.

Light clients ask one offer after the other, with a pause between two requests, as people do; heavy ones ask without a
pause. The light ones are measured alone, then while each kind of heavy one runs, then while all kinds do.
"""

import contextlib
import subprocess
import time
from urllib.parse import quote

from . import table
from .load import Load
from .machine import Wrong
from .scenarios import INCLUDES

# Milliseconds that a light client waits between two requests.
PAUSE = 4
# Seconds that heavy ones run before light ones are measured.
AHEAD = 1


def heavy(drawer):
    """Kinds of requests that cost much, by name."""
    drawn = next(found for found in iter(drawer.page, 0) if found and len(found[0]) == 1)
    (name, code), = drawn[0]
    other = quote(f"not ({name} eq {code})", safe="()")
    words = quote("(name co \"e\") or (name co \"a\") or (age-range-low ge 0)", safe="()")
    return {
        "largest pages": [f"/HealthcareService?{name}={quote(code)}&_count=1000{INCLUDES}",
                          f"/HealthcareService?_count=1000{INCLUDES}"],
        "unselective _filter": [f"/HealthcareService?_filter={other}&_sort=-_lastUpdated&_count=200{INCLUDES}",
                                f"/HealthcareService?_filter={words}&_sort=name&_count=200{INCLUDES}"],
        "full text": ["/HealthcareService?_content=service&_count=1000", "/HealthcareService?_content=soins,accueil&_count=1000"],
    }


class Beside:
    """Light and heavy clients of one server."""

    def __init__(self, load, scratch, base):
        self.base, self.scratch = base, scratch
        self.light = Load(scratch, load.where, load.seconds, load.connections, pause=PAUSE)
        self.others = Load(scratch, load.where, load.seconds, load.connections)

    def measure(self, drawer, server, process):
        """(what runs beside, requests a second of it, the light ones) for nothing, each kind and all of them."""
        light = ["/fhir" + path for path in sorted({drawer.one() for _ in range(200)})]
        kinds = heavy(drawer)
        for name, paths in kinds.items():
            for path in paths:
                server.fetch(path)
        kinds["all of them"] = [path for paths in kinds.values() for path in paths]
        found = [("nothing", None, self.light.measure(self.base, light, process))]
        for name, paths in kinds.items():
            with self.running(name, ["/fhir" + path for path in paths]) as runs:
                beside = self.light.measure(self.base, light, process)
                rate = runs()
            found.append((name, rate, beside))
        return found

    @contextlib.contextmanager
    def running(self, name, paths):
        """Heavy clients at work while the block runs; it gets a function that ends them and tells their rate."""
        urls = self.scratch / "heavy.txt"
        urls.write_text("".join(path + "\n" for path in paths))
        seconds = AHEAD + self.light.seconds + max(1, self.light.seconds // 5) + 1
        process = subprocess.Popen(self.others.command(self.base, urls, False, seconds), stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        time.sleep(AHEAD)

        def rate():
            out, wrong = process.communicate(timeout=60)
            done = self.others.read(out, wrong)
            if done.errors:
                raise Wrong(f"beside {name}: {done.errors} heavy requests failed")
            return done.rate

        try:
            yield rate
        finally:
            process.kill()
            process.wait()


def text(found):
    """The table."""
    heads = ["beside", "heavy r/s", "light r/s", "median ms", "p99 ms", "failed"]
    lines = [[name, table.number(rate), table.number(light.rate), table.number(light.median), table.number(light.p99),
              str(light.errors)] for name, rate, light in found]
    return table.markdown(heads, lines)


def plain(found):
    """For JSON."""
    return [{"beside": name, "heavy_per_second": rate and round(rate, 1), **light.plain()} for name, rate, light in found]
