"""The floor: nginx sends the same answers as files, and has nothing else to do."""

import contextlib
import gzip
import shutil

from .machine import Missing, free_port, serving, tool

CONFIGURATION = """\
daemon off;
worker_processes {workers};
pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  server_tokens off;
  sendfile on;
  sendfile_max_chunk 2m;
  tcp_nopush on;
  tcp_nodelay on;
  keepalive_requests 100000000;
  open_file_cache max=10000 inactive=10m;
  open_file_cache_valid 10m;
  client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
  uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
  types {{ }}
  default_type application/fhir+json;
  server {{
    listen 127.0.0.1:{port} backlog=1024;
    root {folder}/files;
    gzip_static on;
  }}
}}
"""


class Floor:
    """An nginx of its own, with a folder of answers that each row replaces."""

    def __init__(self, folder, where):
        self.program = tool("nginx")
        if not self.program:
            raise Missing("nginx: apt-get install nginx-light (the benchmark starts its own)")
        self.folder, self.where = folder, where
        self.base = None

    @contextlib.contextmanager
    def running(self):
        """nginx answers on loopback while the block runs."""
        files = self.folder / "files"
        files.mkdir(parents=True)
        (files / "ready").write_text("ready")
        # The workers run under another account when nginx is started by the superuser.
        for one in (self.folder, files):
            one.chmod(0o755)
        port = free_port()
        configuration = self.folder / "nginx.conf"
        configuration.write_text(CONFIGURATION.format(workers=len(self.where), folder=self.folder, port=port))
        self.base = f"http://127.0.0.1:{port}"
        command = [self.program, "-p", self.folder, "-c", configuration]
        with serving(command, self.where, self.folder / "out.log", f"{self.base}/ready") as process:
            self.process = process
            yield self

    def put(self, row, server):
        """Writes each answer of a row as a file, and returns their paths. A name is used for one row only: nginx keeps files open."""
        folder = self.folder / "files" / row.name
        folder.mkdir()
        folder.chmod(0o755)
        for number, query in enumerate(row.queries):
            body = server.fetch(query.path, row.gzip)
            file = folder / f"{number}.json"
            if row.gzip:
                (folder / f"{number}.json.gz").write_bytes(body)
                file.write_bytes(gzip.decompress(body))
            else:
                file.write_bytes(body)
        return [f"/{row.name}/{number}.json" for number in range(len(row.queries))]

    def drop(self, row):
        """Gives the disk back."""
        shutil.rmtree(self.folder / "files" / row.name, ignore_errors=True)
