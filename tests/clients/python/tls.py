"""Who gets in by TLS, seen by another implementation (Python's ssl, which is OpenSSL).

Usage: tls.py PORT FOLDER     FOLDER is one that scripts/dev-pki made, PORT that of a server with its rorqual.toml.
"""

import socket
import ssl
import sys
import warnings

PORT, FOLDER = int(sys.argv[1]), sys.argv[2]
faults = []


def ask(client, minimum=ssl.TLSVersion.TLSv1_2, maximum=ssl.TLSVersion.TLSv1_3):
    """Status of GET /fhir/metadata and the version spoken, or the reason why there is none."""
    context = ssl.create_default_context(cafile=f"{FOLDER}/root.pem")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        if maximum < ssl.TLSVersion.TLSv1_2:
            # OpenSSL itself no longer offers these unless told to.
            context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version, context.maximum_version = minimum, maximum
    if client:
        context.load_cert_chain(f"{FOLDER}/clients/{client}.pem", f"{FOLDER}/clients/{client}.key")
    try:
        with socket.create_connection(("127.0.0.1", PORT), timeout=10) as plain:
            with context.wrap_socket(plain, server_hostname="localhost") as connection:
                connection.sendall(b"GET /fhir/metadata HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                answer = b""
                while chunk := connection.recv(65536):
                    answer += chunk
                return int(answer.split(b" ")[1]), connection.version()
    except (ssl.SSLError, ConnectionError, IndexError) as error:
        return None, f"{type(error).__name__}: {error}"


def check(what, let_in, answer):
    status, detail = answer
    good = (status == 200) == let_in
    print(f"{'ok  ' if good else 'FAIL'} {what}: {status} {detail}")
    if not good:
        faults.append(what)


for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
    for number in range(6):
        check(f"profile-{number}, {version.name}", True, ask(f"profile-{number}", version, version))
    check(f"unlisted with its chain, {version.name}", True, ask("unlisted", version, version))
    for client in (None, "expired", "not-yet-valid", "revoked", "stranger", "wrong-usage", "missing-intermediate"):
        check(f"{client}, {version.name}", False, ask(client, version, version))
for version in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
    status, detail = ask("profile-1", version, version)
    check(f"{version.name}", False, (status, detail))
    # The refusal must be the server's, not a ClientHello that was never sent.
    if "ALERT" not in detail:
        faults.append(f"{version.name}: refused for another reason: {detail}")

if faults:
    sys.exit("TLS: " + "; ".join(faults))
print("TLS: all as it should be")
