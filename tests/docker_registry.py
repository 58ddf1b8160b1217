"""Debian's docker-registry, a real OCI registry, for tests: started on loopback, filled by HTTP."""

import base64
import http.client
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from tests.store_builder import MANIFEST_TYPE, MadeModel

PROGRAM = shutil.which("docker-registry")
MISSING = "docker-registry is not installed (apt-get install docker-registry)"
USER, PASSWORD = "me", "s3same"
"""Of a private one."""
_HTPASSWD = f"{USER}:$2y$05$abcdefghijklmnopqrstuu8S81Hx7aRRz3jqdcVqZTJz3OHbnHXZC\n"
_START_S = 10.0


@dataclass(frozen=True)
class DockerRegistry:
    """A running registry."""

    port: int
    certificate: Path | None = None
    is_private: bool = False
    """Whether it knows USER only."""

    @property
    def netloc(self) -> str:
        """host:port, as a model's name begins with it."""
        return f"127.0.0.1:{self.port}"

    def push(self, name: str, model: MadeModel) -> None:
        """Store a model under namespace/model:tag."""
        repository, tag = name.split(":")
        for digest, data in model.blobs.items():
            self.push_blob(repository, digest, data)
        path = f"/v2/{repository}/manifests/{tag}"
        self._send("PUT", path, model.manifest, {"Content-Type": MANIFEST_TYPE}, 201)

    def push_blob(self, repository: str, digest: str, data: bytes) -> None:
        """Store one blob."""
        location = self._send("POST", f"/v2/{repository}/blobs/uploads/", b"", {}, 202)
        parts = urlsplit(location)
        self._send("PUT", f"{parts.path}?{parts.query}&digest={digest}", data, {}, 201)

    def _send(
        self, method: str, path: str, body: bytes, headers: dict[str, str], expected: int
    ) -> str:
        if self.certificate is None:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        else:
            trust = ssl.create_default_context(cafile=self.certificate)
            connection = http.client.HTTPSConnection("127.0.0.1", self.port, context=trust)
        if self.is_private:
            pair = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
            headers = {**headers, "Authorization": f"Basic {pair}"}
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        assert answer.status == expected, text
        return answer.headers.get("Location", "")


@contextmanager
def docker_registry(
    directory: Path, certificate: Path | None = None, *, is_private: bool = False
) -> Iterator[DockerRegistry]:
    """Run a registry that keeps its files in `directory`.

    Args:
        certificate: with its key, for https.
        is_private: whether it asks for USER's PASSWORD.
    """
    assert PROGRAM is not None, MISSING
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    tls = f", tls: {{certificate: {certificate}, key: {certificate}}}" if certificate else ""
    users = directory / "htpasswd"
    users.write_text(_HTPASSWD)
    auth = f"auth: {{htpasswd: {{realm: models, path: {users}}}}}\n" if is_private else ""
    config = directory / "registry.yml"
    config.write_text(
        "version: 0.1\n"
        "log: {level: error, accesslog: {disabled: true}}\n"
        f"storage: {{filesystem: {{rootdirectory: {directory / 'data'}}}}}\n"
        f"http: {{addr: '127.0.0.1:{port}', secret: test{tls}}}\n{auth}"
    )
    with (directory / "registry.log").open("wb") as log:
        process = subprocess.Popen([PROGRAM, "serve", str(config)], stdout=log, stderr=log)
    try:
        _wait_for(port)
        yield DockerRegistry(port, certificate, is_private)
    finally:
        process.terminate()
        process.wait(10)


def _wait_for(port: int) -> None:
    end_s = time.monotonic() + _START_S
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            assert time.monotonic() < end_s, "docker-registry does not answer"
            time.sleep(0.02)
        else:
            return
