"""Consumers of bulk exports as integrators write them, over PyPI `requests`, compared with the extract.

Usage: export_consumers.py BASE

The two sample consumers ask for the status once only, take whatever they get for the manifest, and name files by the last
segment of their URL without its last five characters. The third follows the protocol, compressed and by parts.
"""

import io
import json
import pathlib
import sys
import tempfile
import time

import requests
import zstandard

from checks import Checks

BASE = sys.argv[1]
EXTRACT = pathlib.Path(__file__).resolve().parents[3] / "fixtures" / "extract"
HEADERS = {
    "Authorization": "Bearer token",
    "Ror-Profil-Utilisateur-Code": "CU22",
    "Ror-Profil-Utilisateur-System": "1.2.250.1.213.1.6.1.66",
    "Ror-Role-Metier-Code": "AUTOMATE",
    "Ror-Role-Metier-System": "1.2.250.1.213.1.1.4.6",
}
REGION = "https://mos.esante.gouv.fr/NOS/TRE_R30-RegionOM/FHIR/TRE-R30-RegionOM"
TYPES = ["HealthcareService", "Organization", "Location", "PractitionerRole", "Practitioner"]


def extract():
    """The small extract: resources by type and id; of an id given twice, the later one."""
    found = {}
    for kind in TYPES:
        with (EXTRACT / f"{kind}.ndjson.zst").open("rb") as packed:
            for line in io.TextIOWrapper(zstandard.ZstdDecompressor().stream_reader(packed), encoding="utf-8"):
                resource = json.loads(line)
                found[(kind, resource["id"])] = resource
    return found


EXPECTED = extract()


def sample_consumer(parameters, folder):
    """Begins an export, asks once, saves what it is told of."""
    begun = requests.get(f"{BASE}/$export", params=parameters, headers={**HEADERS, "Accept": "application/json"})
    status = requests.get(begun.headers["Content-Location"], headers=HEADERS).json()
    for output in status.get("output", []):
        text = requests.get(output["url"], headers=HEADERS).text
        name = output["url"].split("/")[-1][:-5]
        path = pathlib.Path(folder) / f"{name}.json"
        assert not path.exists(), f"{name} twice"
        path.write_text(text, encoding="utf-8")


def saved(folder):
    """The resources of the Bundles in a folder, by type and id."""
    found = {}
    for path in pathlib.Path(folder).iterdir():
        bundle = json.loads(path.read_text(encoding="utf-8"))
        assert (bundle["resourceType"], bundle["type"]) == ("Bundle", "collection"), path.name
        for entry in bundle["entry"]:
            resource = entry["resource"]
            found[(resource["resourceType"], resource["id"])] = resource
    return found


def belongs(key):
    """Whether a resource of the extract belongs to an offer: a person does by one of their roles."""
    if key[0] != "Practitioner":
        return True
    roles = (EXPECTED[role] for role in EXPECTED if role[0] == "PractitionerRole")
    return any(role["practitioner"]["reference"] == f"Practitioner/{key[1]}" for role in roles)


def compare(found, kinds=TYPES):
    """What was found is what the extract says of it."""
    for key, resource in found.items():
        assert resource == EXPECTED[key], f"{key} differs from the extract"
    for kind in kinds:
        ours = {key for key in found if key[0] == kind}
        theirs = {key for key in EXPECTED if key[0] == kind}
        alone = {key for key in theirs - ours if not belongs(key)}
        assert ours == theirs - alone, f"{kind}: {len(ours)} exported, {len(theirs)} in the extract"


def whole_directory():
    """a sample consumer copies every offer and what belongs to it"""
    with tempfile.TemporaryDirectory() as folder:
        parameters = {
            "_outputFormat": "application/fhir+json",
            "_type": "HealthcareService",
            "includeAssociatedData": "_myCompleteExtract",
        }
        sample_consumer(parameters, folder)
        names = sorted(path.stem for path in pathlib.Path(folder).iterdir())
        assert names == sorted(f"{kind}-1" for kind in TYPES), names
        # Every situation and every professional of the extract belongs to an offer; not so every place.
        compare(saved(folder), ["HealthcareService", "PractitionerRole", "Practitioner"])


def one_region():
    """a sample consumer copies the offers of one region, without saying which types"""
    code = "27"
    with tempfile.TemporaryDirectory() as folder:
        filters = f"HealthcareService?_tag={REGION}|{code}"
        sample_consumer({"_outputFormat": "application/json", "_typeFilter": filters}, folder)
        found = saved(folder)

    def of_region(resource):
        tags = resource.get("meta", {}).get("tag", [])
        return any(tag.get("system") == REGION and tag.get("code") == code for tag in tags)

    offers = {key for key, resource in EXPECTED.items() if key[0] == "HealthcareService" and of_region(resource)}
    assert offers and {key for key in found if key[0] == "HealthcareService"} == offers, "other offers"
    compare(found, [])


def protocol():
    """a patient consumer copies the directory as compressed ndjson, and ends the export"""
    headers = {**HEADERS, "Prefer": "respond-async", "Accept": "application/fhir+json"}
    parameters = {"_outputFormat": "application/fhir+ndjson", "_type": ",".join(TYPES)}
    begun = requests.get(f"{BASE}/$export", params=parameters, headers=headers)
    assert begun.status_code == 202, begun.text
    status = begun.headers["Content-Location"]
    told = requests.get(status, headers=HEADERS)
    while told.status_code == 202:
        time.sleep(float(told.headers["Retry-After"]))
        told = requests.get(status, headers=HEADERS)
    assert told.status_code == 200 and told.headers["Expires"], told.text
    found = {}
    for output in told.json()["output"]:
        zipped = requests.get(output["url"], headers=HEADERS)
        assert zipped.headers["Content-Encoding"] == "gzip"
        # The same by parts, which come as they are.
        plain = {**HEADERS, "Accept-Encoding": "identity"}
        length = int(requests.head(output["url"], headers=plain).headers["Content-Length"])
        parts, step = b"", length // 3 + 1
        while len(parts) < length:
            part = requests.get(output["url"], headers={**plain, "Range": f"bytes={len(parts)}-{len(parts) + step}"})
            assert part.status_code == 206, part.status_code
            parts += part.content
        assert parts == zipped.content, "the parts are not the whole"
        resources = [json.loads(line) for line in zipped.text.splitlines()]
        assert len(resources) == output["count"]
        found.update({(resource["resourceType"], resource["id"]): resource for resource in resources})
    compare(found)
    assert requests.delete(status, headers=HEADERS).status_code == 202
    assert requests.get(status, headers=HEADERS).status_code == 404


checks = Checks("exports")
for check in (whole_directory, one_region, protocol):
    checks.run(check)
sys.exit(checks.finish())
