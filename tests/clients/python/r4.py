"""Three judges of a FHIR R4 resource: the model of fhir.resources 6.2, the JSON schema of R4, rules neither of them holds."""

import json
from pathlib import Path

import jsonschema_rs
import zstandard
from fhir.resources import construct_fhir_element

SCHEMA = Path(__file__).parent.parent / "fhir.schema.json.zst"
MODES = {"match", "include", "outcome"}


class Judges:
    """Faults of a resource, each with the name of who found it."""

    def __init__(self):
        self.schema = json.loads(zstandard.ZstdDecompressor().decompress(SCHEMA.read_bytes()))
        # The file is of 4.0.0 and lists no later version; 4.0.1 corrected texts and changed no element used here.
        self.schema["definitions"]["CapabilityStatement"]["properties"]["fhirVersion"]["enum"].append("4.0.1")
        self.whole = jsonschema_rs.validator_for(self.schema)
        self.by_type = {}

    def faults(self, resource):
        """All faults of a resource, none when it is R4."""
        return self.model(resource) + self.json_schema(resource) + rules(resource)

    def model(self, resource):
        try:
            construct_fhir_element(resource["resourceType"], json.loads(json.dumps(resource)))
        except Exception as error:  # noqa: BLE001 - whatever the library raises is a fault
            return [f"fhir.resources: {str(error)[:500]}"]
        return []

    def json_schema(self, resource):
        if self.whole.is_valid(resource):
            return []
        # "None of 148 resource types fits" helps nobody: ask the definition of each resource for its own faults.
        found = []
        for where, part in parts(resource):
            for error in self.definition(part["resourceType"]).iter_errors(part):
                found.append(f"JSON schema: {where}: {error.message[:300]} at {list(error.instance_path)}")
        return found or ["JSON schema: the whole does not fit, although each resource does"]

    def definition(self, kind):
        if kind not in self.by_type:
            reference = {"$ref": f"#/definitions/{kind}", "definitions": self.schema["definitions"]}
            self.by_type[kind] = jsonschema_rs.validator_for({"$schema": self.schema["$schema"], **reference})
        return self.by_type[kind]


def parts(resource):
    """The resources of a Bundle, then the Bundle without them; any other resource as it is."""
    if resource["resourceType"] != "Bundle":
        return [(resource["resourceType"], resource)]
    entries = resource.get("entry", [])
    found = [(f"entry[{i}]", entry["resource"]) for i, entry in enumerate(entries) if "resource" in entry]
    bare = [{name: value for name, value in entry.items() if name != "resource"} for entry in entries]
    shell = {name: value for name, value in resource.items() if name != "entry"}
    return [*found, ("Bundle", {**shell, "entry": bare} if bare else shell)]


def rules(resource):
    """Faults against the rules of R4 that are prose or FHIRPath in the standard."""
    found = list(empty(resource, resource["resourceType"]))
    if resource["resourceType"] == "Bundle":
        found += bundle_rules(resource)
    return [f"R4: {fault}" for fault in found]


def empty(value, where):
    """JSON of R4 has no empty object, array or string; null stands only in arrays of primitives beside their extensions."""
    if value in ({}, [], "", None) and not isinstance(value, bool):
        yield f"{where} is empty"
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from empty(inner, f"{where}.{name}")
    elif isinstance(value, list):
        for i, inner in enumerate(value):
            if inner is not None:
                yield from empty(inner, f"{where}[{i}]")


def bundle_rules(bundle):
    """bdl-1, bdl-2, bdl-7, bdl-8, and what R4 says of a searchset in `search.html` and `bundle.html`."""
    if bundle.get("type") != "searchset":
        yield f"type {bundle.get('type')}, not searchset"
    relations = [link.get("relation") for link in bundle.get("link", [])]
    if relations.count("self") != 1:
        yield f"{relations.count('self')} self links"
    if len(relations) != len(set(relations)):
        yield f"a link relation twice: {relations}"
    matches = 0
    identities = set()
    for i, entry in enumerate(bundle.get("entry", [])):
        mode = entry.get("search", {}).get("mode")
        resource = entry.get("resource", {})
        kind, name = resource.get("resourceType"), resource.get("id")
        url = entry.get("fullUrl", "")
        if mode not in MODES:
            yield f"entry[{i}]: search.mode {mode}"
        if (mode == "outcome") != (kind == "OperationOutcome"):
            yield f"entry[{i}]: {kind} with search.mode {mode}"
        if mode != "outcome" and not url.endswith(f"/{kind}/{name}"):
            yield f"entry[{i}]: fullUrl {url} of {kind}/{name}"
        if "/_history/" in url:
            yield f"entry[{i}]: fullUrl names a version"
        if url and url in identities:
            yield f"entry[{i}]: {url} twice"
        identities.add(url)
        score = entry.get("search", {}).get("score")
        if score is not None and not 0 < score <= 1:
            yield f"entry[{i}]: score {score}"
        matches += mode == "match"
    total = bundle.get("total")
    if total is not None and total < matches:
        yield f"total {total}, yet {matches} matches on the page"
    if total is not None and total > matches > 0 and not {"next", "previous"} & set(relations):
        yield f"total {total}, {matches} matches on the page and no other page"
