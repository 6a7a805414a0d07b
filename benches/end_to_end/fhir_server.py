"""Helios FHIR Server on SQLite, with the directory's search parameters, loaded over its own interface."""

import contextlib
import json
import os
import time
import urllib.error
import urllib.request
from pathlib import Path

from .machine import Missing, Wrong, free_port, serving, tool

PARAMETERS = Path(__file__).resolve().parent.parent.parent / "schema" / "search-parameters"
# Resources of one batch, and seconds that one may take, or an answer that is compared.
BATCH, PATIENCE = 200, 600
COMPARED, ANSWER = 4, 30
# What is referred to comes before what refers to it.
ORDER = ("Organization", "Location", "HealthcareService", "Practitioner", "PractitionerRole", "Task")
INSTALL = "cargo install helios-hfs (about an hour on two processors), with `hfs` on the PATH or named by HFS"


class FhirServer:
    """One `hfs` on loopback with a database file of its own."""

    def __init__(self, folder, where):
        self.program = os.environ.get("HFS") or tool("hfs") or found_in_cargo()
        if not self.program or not os.access(self.program, os.X_OK):
            raise Missing(f"Helios FHIR Server: {INSTALL}")
        self.folder, self.where, self.facts = folder, where, {}

    @contextlib.contextmanager
    def running(self):
        """The server answers while the block runs. It knows the same search parameters, where it reads those of FHIR."""
        data = self.folder / "data"
        data.mkdir(parents=True)
        # Those of every resource it has itself.
        known = [json.loads(file.read_text(encoding="utf-8")) for file in sorted(PARAMETERS.glob("*.json"))
                 if not file.name.startswith("Resource-")]
        (data / "search-parameters-r4.json").write_text(json.dumps(
            {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": one} for one in known]}))
        port = free_port()
        self.address = f"http://127.0.0.1:{port}"
        settings = {
            "PATH": os.environ.get("PATH", ""), "HOME": str(self.folder), "HFS_SERVER_PORT": str(port),
            "HFS_BASE_URL": self.address, "HFS_DATA_DIR": str(data), "DATABASE_URL": str(self.folder / "fhir.db"),
            "HFS_LOG_LEVEL": "error", "HFS_UI_ENABLED": "false", "HFS_NL_SEARCH_ENABLED": "false",
            "HFS_REQUEST_TIMEOUT": str(PATIENCE), "HFS_BULK_EXPORT_ENABLED": "false",
            "HFS_BULK_EXPORT_OUTPUT_DIR": str(self.folder), "HFS_BULK_SUBMIT_OUTPUT_DIR": str(self.folder)}
        with serving([self.program], self.where, self.folder / "hfs.log", f"{self.address}/health", env=settings,
                     cwd=self.folder) as process:
            self.process = process
            with urllib.request.urlopen(f"{self.address}/metadata", timeout=ANSWER) as answer:
                software = json.load(answer).get("software", {})
            self.facts["version"] = f"{software.get('name', 'Helios')} {software.get('version', '')}".strip()
            yield self

    def pin(self, where):
        """Keeps the server and its threads to these processors from here on."""
        for thread in Path(f"/proc/{self.process.pid}/task").iterdir():
            with contextlib.suppress(ProcessLookupError):
                os.sched_setaffinity(int(thread.name), where)

    def load(self, extract):
        """Every resource by batches of updates, so that ids stay; remembers how long it took."""
        began, count = time.monotonic(), 0
        for kind in ORDER:
            entries = []
            with open(extract / f"{kind}.ndjson", encoding="utf-8") as file:
                for line in file:
                    body = json.loads(line)
                    entries.append({"resource": body, "request": {"method": "PUT", "url": f"{kind}/{body['id']}"}})
                    if len(entries) == BATCH:
                        count += self.send(entries)
                        entries = []
            count += self.send(entries) if entries else 0
        self.facts |= {"resources": count, "load_seconds": round(time.monotonic() - began, 1),
                       "megabytes": sum(file.stat().st_size for file in self.folder.glob("fhir.db*")) // 1_000_000}

    def send(self, entries):
        """One batch; every entry must have been taken."""
        body = json.dumps({"resourceType": "Bundle", "type": "batch", "entry": entries}).encode()
        request = urllib.request.Request(self.address, data=body, method="POST",
                                         headers={"Content-Type": "application/fhir+json"})
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                taken = json.load(answer)["entry"]
        except (OSError, urllib.error.HTTPError) as error:
            raise Wrong(f"the FHIR server takes no batch: {error}") from None
        for one in taken:
            if not one.get("response", {}).get("status", "").startswith("20"):
                raise Wrong(f"the FHIR server refuses a resource: {json.dumps(one)[:300]}")
        return len(entries)

    def check(self, row, server):
        """Why a row is not compared: refused, or other matches than Rorqual's; empty when the answers agree.

        A page of Rorqual's size is asked for. What is included is compared too, but for how a server numbers pages.
        """
        for query in row.queries:
            if "&_count=" not in query.path:
                query.path += f"&_count={row.count}"
            # Included resources draw in others by themselves here; in FHIR that has to be said.
            query.path = query.path.replace("&_include=PractitionerRole:", "&_include:iterate=PractitionerRole:")
        for query in row.queries[:COMPARED]:
            request = urllib.request.Request(self.address + query.path, headers={"Accept": "application/fhir+json"})
            try:
                with urllib.request.urlopen(request, timeout=ANSWER) as answer:
                    theirs = json.load(answer)
            except urllib.error.HTTPError as error:
                return f"it answers {error.code}: {reason(error.read())}"
            except OSError as error:
                return f"it gives no answer: {error}"
            mine = server.bundle(query.path)
            for mode in ("match", "include"):
                ours, others = (ids(bundle, mode) for bundle in (mine, theirs))
                # A page that is cut may hold others, as the order is each server's own.
                if query.total > row.count:
                    if mode == "match" and len(ours) != len(others):
                        return f"a page of {len(others)} matches where {len(ours)} are due"
                elif ours != others:
                    missing, more = len(ours - others), len(others - ours)
                    return f"its answer lacks {missing} of {len(ours)} that {mode}, and has {more} others"
        return ""


def ids(bundle, mode):
    """`Type/id` of the entries of a mode."""
    return {f"{one['resource']['resourceType']}/{one['resource']['id']}" for one in bundle.get("entry", ())
            if one.get("search", {}).get("mode", "match") == mode}


def reason(body):
    """What an OperationOutcome says, in short."""
    with contextlib.suppress(ValueError, KeyError, IndexError, TypeError):
        issue = json.loads(body)["issue"][0]
        return (issue.get("diagnostics") or issue["details"]["text"])[:120].replace("\n", " ")
    return "no reason given"


def found_in_cargo():
    """Where cargo puts what it installs."""
    path = Path(os.environ.get("CARGO_HOME", Path.home() / ".cargo")) / "bin" / "hfs"
    return str(path) if path.is_file() else None
