"""A hand-tuned database: PostgreSQL with PostGIS, asked by pgbench with prepared statements over a Unix socket."""

import contextlib
import json
import math
import os
import re
import signal
import time
from pathlib import Path

from . import database_load, database_queries
from .load import Measured
from .machine import Missing, Wrong, end, last_words, run, spawn, tool, unprivileged, worked

# Read-only work that fits in memory: everything cached, no writes to wait for.
SETTINGS = """\
listen_addresses = ''
unix_socket_directories = '{folder}'
max_connections = 60
shared_buffers = {buffers}MB
effective_cache_size = {cache}MB
work_mem = 128MB
maintenance_work_mem = 1GB
random_page_cost = 1.1
effective_io_concurrency = 200
jit = off
max_parallel_workers_per_gather = 0
wal_level = minimal
max_wal_senders = 0
max_wal_size = 2GB
fsync = off
synchronous_commit = off
full_page_writes = off
autovacuum = off
default_statistics_target = 500
lc_messages = 'C'
"""
INSTALL = "apt-get install postgresql postgresql-15-postgis-3 (or the version of your Debian)"
# How the server plans a prepared statement: its own choice, for the values given, or once for all.
PLANS = ("auto", "force_custom_plan", "force_generic_plan")
# Requests of each row whose whole answer is compared with Rorqual's, and whose every match is.
COMPARED = 12
# Seconds a load or an index build may take, a statement that checks, and a try of one number of connections.
LOADING, CHECKING, TRY = 3600, 300, 1


class Database:
    """A private cluster, reached by a Unix socket only. With `kept`, a folder, it lives there and is loaded once."""

    def __init__(self, scratch, where, client, bodies="text", kept=None):
        self.programs = {name: tool(name, f"/usr/lib/postgresql/*/bin/{name}")
                         for name in ("initdb", "postgres", "psql", "pgbench")}
        absent = [name for name, found in self.programs.items() if not found]
        if absent or not any(Path("/usr/share/postgresql").glob("*/extension/postgis.control")):
            raise Missing(f"PostgreSQL with PostGIS: {INSTALL}")
        self.scratch, self.where, self.client = scratch, where, client
        self.folder, self.kept = Path(kept).resolve() if kept else scratch / "pg", bool(kept)
        self.loaded = self.folder / "loaded.json"
        self.bodies, self.plans = bodies, {}
        self.text = "r.body::text" if bodies == "jsonb" else "r.body"
        self.connections = len(where)
        self.facts = {}

    @contextlib.contextmanager
    def running(self):
        """Makes the cluster and runs it while the block does."""
        rights, account = unprivileged()
        data, log = self.folder / "data", self.scratch / "postgres.log"
        if not self.loaded.exists():
            if data.exists():
                raise Wrong(f"{data} is there, but no loaded database: name another folder by --database, or remove it")
            self.folder.mkdir(parents=True, exist_ok=True)
            if account:
                os.chown(self.folder, account.pw_uid, account.pw_gid)
            run([self.programs["initdb"], "-D", data, "-U", "bench", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8",
                 "--no-sync"], 300, cwd=self.folder, env={"PATH": os.environ["PATH"]}, **rights)
            memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
            with open(data / "postgresql.auto.conf", "a", encoding="utf-8") as file:
                file.write(SETTINGS.format(folder=self.folder, buffers=memory // 4, cache=memory * 2 // 3))
        process = spawn([self.programs["postgres"], "-D", data], self.where | self.client, log, cwd=self.folder, **rights)
        try:
            limit = time.monotonic() + 60
            while True:
                with contextlib.suppress(Wrong):
                    self.ask("SELECT 1", limit=10)
                    break
                if process.poll() is not None or time.monotonic() > limit:
                    raise Wrong(f"PostgreSQL did not start:\n{last_words(log)}")
                time.sleep(0.2)
            self.facts["version"] = self.ask("SHOW server_version").split()[0]
            self.process = process
            yield self
        finally:
            # What is kept must be written: unlogged tables are empty after anything but an orderly end.
            if self.kept:
                end(process, signal.SIGINT, LOADING)
            else:
                end(process, signal.SIGQUIT)

    def command(self):
        """psql, quiet, as the benchmark's own user."""
        return [self.programs["psql"], "-X", "-q", "-At", "-v", "ON_ERROR_STOP=1", "-h", self.folder, "-U", "bench",
                "-d", "postgres"]

    def ask(self, sql, limit=CHECKING):
        return run([*self.command(), "-c", sql], limit).rstrip("\n")

    def script(self, text, limit):
        file = self.scratch / "statements.sql"
        file.write_text(text)
        return run([*self.command(), "-f", file], limit)

    def load(self, extract, server):
        """Everything from the extract, then indexes; remembers how long it took."""
        order = {kind: [one.partition("/")[2] for one in server.ids(f"/{kind}?_total=accurate")]
                 for kind in ("HealthcareService", "Location")}
        loader = database_load.Loader(extract, [str(part) for part in self.command()], order)
        # Rows are numbered in Rorqual's order; numbers become names again when answers are compared.
        self.names = {number: f"{kind}/{one}" for kind in order for one, number in loader.numbers[kind].items()}
        if self.loaded.exists():
            self.facts |= json.loads(self.loaded.read_text())
            if self.facts["bodies"] != self.bodies:
                raise Wrong(f"{self.folder} holds bodies as {self.facts['bodies']}: remove it, or ask for those")
            return
        began = time.monotonic()
        self.script(database_load.TABLES.format(body=self.bodies), CHECKING)
        count = loader.load()
        loaded = time.monotonic()
        self.script(database_load.INDEXES, LOADING)
        self.facts |= {"resources": count, "load_seconds": round(loaded - began, 1), "bodies": self.bodies,
                       "index_seconds": round(time.monotonic() - loaded, 1),
                       "megabytes": int(self.ask("SELECT pg_database_size('postgres')")) // 1_000_000}
        if self.kept:
            self.loaded.write_text(json.dumps(self.facts))

    def pin(self):
        """Keeps the server to its processors from here on; connections inherit it."""
        os.sched_setaffinity(self.process.pid, self.where)

    def prepare(self, row):
        """Writes the row's parameters into a table and its statement into a script for pgbench."""
        names = list(row.queries[0].values)
        table = named(row)
        lines = [f"DROP TABLE IF EXISTS {table};",
                 f"CREATE UNLOGGED TABLE {table} (i int PRIMARY KEY, {', '.join(f'v_{name} text' for name in names)});"]
        for number, query in enumerate(row.queries, 1):
            values = ", ".join("'" + str(query.values[name]).replace("'", "''") + "'" for name in names)
            lines.append(f"INSERT INTO {table} VALUES ({number}, {values});")
        self.script("\n".join(lines) + f"\nANALYZE {table};\n", CHECKING)
        chosen = ", ".join(f"v_{name}" for name in names)
        statement = " ".join(database_queries.answer(row, self.text).split("\n"))
        file = self.scratch / f"{table}.sql"
        file.write_text(f"\\set i random(1, {len(row.queries)})\n"
                        f"SELECT {chosen} FROM {table} WHERE i = :i::int \\gset\n{statement};\n")
        return file

    def check(self, row, server):
        """Compares totals, the matches and whole pages with Rorqual's; returns what differs, empty when nothing does."""
        for query in row.queries[:COMPARED]:
            plain = query.path.partition("&_include")[0].partition("&_revinclude")[0].partition("&_count")[0]
            mine = [self.names[int(one)] for one in self.ask(
                database_queries.bound(database_queries.ids(row), query.values)).split()]
            theirs = server.ids(plain)
            if len(mine) != query.total or len(theirs) != query.total:
                return f"{len(mine)} matches, Rorqual {len(theirs)} of {query.total}: {query.path}"
            if mine != theirs:
                how = "in another order" if set(mine) == set(theirs) else "others"
                return f"{len(mine)} matches, {how}: {query.path}"
            total, _, text = self.ask(database_queries.bound(database_queries.answer(row, self.text), query.values)).partition("|")
            page = {f"{one['resourceType']}/{one['id']}" for one in json.loads(text)}
            wanted = {f"{one['resource']['resourceType']}/{one['resource']['id']}"
                      for one in server.bundle(query.path)["entry"]}
            if int(total) != query.total or page != wanted:
                return f"page of {len(page)} resources, Rorqual {len(wanted)}: {query.path}"
        return ""

    def settle(self, rows, choices):
        """Finds what serves best: a way of planning for each row, then one number of connections for all."""
        for row in rows:
            self.plans[row.name] = max(PLANS, key=lambda plans: self.measure(row, TRY, plans=plans, warm=1).rate)
        # Every fourth row is enough to choose by.
        def served(number):
            return math.prod(max(self.measure(row, TRY, number, warm=1).rate, 0.001) for row in rows[::4])
        self.connections = max(choices, key=served)
        self.facts |= {"connections": self.connections, "plans": self.plans, "lookup": self.lookup(rows[0]).plain()}

    def lookup(self, row):
        """What drawing the parameters of a row takes of each request: a Measured of that alone."""
        file = self.scratch / "lookup.sql"
        own = (self.scratch / f"{named(row)}.sql").read_text().splitlines()
        file.write_text("\n".join(own[:2]) + "\n")
        before = worked(self.process.pid)
        found = self._pgbench(file, TRY, self.connections, PLANS[0])
        found.cpu = (worked(self.process.pid) - before) / max(found.requests, 1) * 1e3
        return found

    def measure(self, row, seconds, connections=None, warm=None, plans=None):
        """Asks a prepared row for a time, after a fifth of it to warm up."""
        file = self.scratch / f"{named(row)}.sql"
        connections = connections or self.connections
        plans = plans or self.plans.get(row.name, PLANS[0])
        self._pgbench(file, max(1, warm or seconds // 5), connections, plans)
        before = worked(self.process.pid)
        found = self._pgbench(file, seconds, connections, plans)
        found.cpu = (worked(self.process.pid) - before) / max(found.requests, 1) * 1e3
        return found

    def _pgbench(self, file, seconds, connections, plans):
        prefix = self.scratch / "pgbench_log"
        command = ["taskset", "-c", ",".join(map(str, sorted(self.client))), self.programs["pgbench"], "-n", "-M", "prepared",
                   "-c", connections, "-j", min(len(self.client), connections), "-T", seconds, "-f", file, "-l",
                   f"--log-prefix={prefix}", "-h", self.folder, "-U", "bench", "postgres"]
        said = run(command, seconds + 120, env={**os.environ, "PGOPTIONS": f"-c plan_cache_mode={plans}"})
        times = []
        for log in prefix.parent.glob("pgbench_log.*"):
            times += [int(line.split()[2]) for line in log.read_text().splitlines()]
            log.unlink()
        times.sort()
        failed = re.search(r"number of failed transactions: (\d+)", said)
        rate = re.search(r"tps = ([\d.]+)", said)
        if not times or not rate:
            raise Wrong(f"pgbench: {said.strip()[-500:]}")
        at = lambda share: times[int((len(times) - 1) * share)] / 1e3
        return Measured(float(rate.group(1)), at(0.5), at(0.99), int(failed.group(1)) if failed else 0, 0.0, len(times))


def named(row):
    """The table and the script of a row's parameters."""
    return "p_" + re.sub(r"\W", "_", row.name)
