"""One measured row of HTTP: wrk asks a list of URLs, each in turn, for a given time."""

import json
import subprocess
from dataclasses import dataclass

from .machine import Missing, Wrong, tool, worked

# wrk stops an answer that takes longer, in seconds.
PATIENCE = 10
# Requests are made once; each thread begins elsewhere in the list. What is not 2xx or 3xx counts as an error; that
# every URL answers 200 was seen when it was sampled.
SCRIPT = """\
local threads = 0
function setup(thread) thread:set("number", threads); threads = threads + 1 end
function init(args)
  asked, at = {}, 0
  local headers = {["Accept"] = "application/fhir+json"}
  if args[2] == "gzip" then headers["Accept-Encoding"] = "gzip" end
  for line in io.lines(args[1]) do asked[#asked + 1] = wrk.format("GET", line, headers) end
  at = (number * 7919) % #asked
end
function request() at = at % #asked + 1; return asked[at] end
if PAUSE > 0 then function delay() return PAUSE end end
function done(summary, latency, requests)
  local wrong = summary.errors
  io.write(string.format(
    'RESULT {"requests":%d,"bytes":%d,"microseconds":%d,"median":%d,"p99":%d,"status":%d,"socket":%d,"timeout":%d}\\n',
    summary.requests, summary.bytes, summary.duration, latency:percentile(50), latency:percentile(99), wrong.status,
    wrong.connect + wrong.read + wrong.write, wrong.timeout))
end
"""


@dataclass
class Measured:
    """What a load said of one server: requests a second, milliseconds, megabytes a second, failed requests.

    `cpu` is the server's processor time of one request in milliseconds: unlike the others it says little of what else
    ran on the machine.
    """

    rate: float
    median: float
    p99: float
    errors: int
    megabytes: float
    requests: int = 0
    cpu: float = 0.0

    def plain(self):
        """For JSON."""
        return {"requests_per_second": round(self.rate, 1), "median_ms": round(self.median, 3),
                "p99_ms": round(self.p99, 3), "errors": self.errors, "megabytes_per_second": round(self.megabytes, 1),
                "requests": self.requests,
                "cpu_ms": round(self.cpu, 4)}


class Load:
    """wrk, with how long and by how many connections it asks, and the milliseconds between two requests of each."""

    def __init__(self, scratch, where, seconds, connections, pause=0):
        self.program = tool("wrk")
        if not self.program:
            raise Missing("wrk: apt-get install wrk")
        self.where, self.seconds, self.connections = where, seconds, connections
        self.scratch = scratch
        self.script = scratch / f"ask-{pause}.lua"
        self.script.write_text(f"PAUSE = {pause}\n" + SCRIPT)

    def measure(self, base, paths, server, gzip=False):
        """Asks `base` + each path for the time set, after a fifth of it to warm up. `server` is the process asked."""
        urls = self.scratch / "urls.txt"
        urls.write_text("".join(path + "\n" for path in paths))
        self._ask(base, urls, gzip, max(1, self.seconds // 5))
        before = worked(server.pid)
        found = self._ask(base, urls, gzip, self.seconds)
        found.cpu = (worked(server.pid) - before) / max(found.requests, 1) * 1e3
        return found

    def command(self, base, urls, gzip, seconds):
        """How wrk is called."""
        threads = min(len(self.where), self.connections)
        command = ["taskset", "-c", ",".join(map(str, sorted(self.where))), self.program, f"-t{threads}",
                   f"-c{self.connections}", f"-d{seconds}s", f"--timeout={PATIENCE}s", "-s", self.script, base, "--", urls]
        return [str(part) for part in command + ["gzip"] * gzip]

    def _ask(self, base, urls, gzip, seconds):
        try:
            done = subprocess.run(self.command(base, urls, gzip, seconds), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, text=True, timeout=seconds + 3 * PATIENCE)
        except subprocess.TimeoutExpired:
            raise Wrong(f"wrk did not end within {seconds + 3 * PATIENCE} s") from None
        return self.read(done.stdout, done.stderr)

    def read(self, out, wrong):
        """What wrk said, from what it wrote."""
        lines = [line for line in out.splitlines() if line.startswith("RESULT ")]
        if not lines:
            raise Wrong(f"wrk: {(wrong or out).strip()[-500:]}")
        said = json.loads(lines[0].removeprefix("RESULT "))
        took = said["microseconds"] / 1e6
        return Measured(said["requests"] / took, said["median"] / 1e3, said["p99"] / 1e3,
                        said["status"] + said["socket"] + said["timeout"], said["bytes"] / took / 1e6, said["requests"])
