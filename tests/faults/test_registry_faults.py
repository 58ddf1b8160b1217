"""Registries that are wrong at random: never a wrong file, and the right one in the end."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from ollm_tui.core.error import OllmError
from ollm_tui.providers.local.provider import LocalProvider
from tests import docker_registry as docker
from tests.faults.conftest import Fault
from tests.faults.proxy import Break, Kind, tcp_proxy
from tests.faulty_registry import Exchange, faulty_registry, status
from tests.faulty_registry import Fault as Wrong
from tests.provider.local.conftest import EAGER
from tests.provider.local.pulling import (
    big_model,
    is_installed,
    no_wrong_file,
    pull,
    weights_digest,
)

MODEL = big_model(700_000)
WEIGHTS = weights_digest(MODEL)
NGINX = shutil.which("nginx")
PATIENT = replace(EAGER, tries=50)


def flipped(at: int, bit: int) -> Wrong:
    """All of the blob, with one bit wrong."""

    def answer(exchange: Exchange) -> None:
        data = bytearray(exchange.blob)
        data[at] ^= 1 << bit
        exchange.part(bytes(data[exchange.start :]))

    return answer


async def test_a_flipped_bit_is_never_part_of_a_model(fault: Fault, tmp_path: Path) -> None:
    """Row 12: once, it is fetched again; twice, it is an error, and later pulls mend it."""
    for number, chance in enumerate(fault.dice(full=50, short=5)):
        root = tmp_path / str(number)
        provider = LocalProvider(root, policy=EAGER)
        wrong = flipped(chance.randrange(700_000), chance.randrange(8))
        with faulty_registry() as registry:
            registry.push(MODEL)
            times = chance.choice([1, 2])
            registry.fail(WEIGHTS, *[wrong] * times)
            if times == 2:
                with pytest.raises(OllmError, match="Could not download"):
                    await pull(provider, registry.name())
                assert no_wrong_file(root)
                assert not (root / "manifests").exists()
            await pull(provider, registry.name())
            assert is_installed(root, f"{registry.netloc}/ns/model/tag", MODEL)
        await provider.close()


@pytest.mark.parametrize("percent", [50, 90])
async def test_a_registry_that_fails_at_random_gives_the_model_in_the_end(
    fault: Fault, tmp_path: Path, percent: int
) -> None:
    """Row 5, for the store."""
    for number, chance in enumerate(fault.dice(full=40, short=3)):
        root = tmp_path / str(number)
        with faulty_registry() as registry:
            registry.push(MODEL)
            answer = registry.answer

            def at_random(exchange: Exchange, chance=chance, answer=answer) -> None:  # type: ignore[no-untyped-def]
                if chance.random() * 100 < percent:
                    status(chance.choice([500, 408]))(exchange)
                else:
                    answer(exchange)

            registry.answer = at_random  # type: ignore[method-assign]
            provider = LocalProvider(root, policy=PATIENT)
            failures = 0
            while not (root / "manifests").exists():
                with suppress(OllmError):
                    await pull(provider, registry.name())
                    break
                failures += 1
                assert failures < 40
                assert no_wrong_file(root)
            fault.saw("runs until done", failures + 1)
            assert is_installed(root, f"{registry.netloc}/ns/model/tag", MODEL)
            await provider.close()


async def test_a_real_registry_whose_connections_break_gives_the_model(
    fault: Fault, tmp_path: Path
) -> None:
    """Row 1, for the store, with Debian's docker-registry behind the proxy."""
    if docker.PROGRAM is None:
        pytest.skip(docker.MISSING)
    (tmp_path / "registry").mkdir()
    with docker.docker_registry(tmp_path / "registry") as registry:
        registry.push("ns/model:tag", MODEL)
        await _through_breaks(fault, registry.port, tmp_path)


async def test_a_real_web_server_whose_connections_break_gives_the_model(
    fault: Fault, tmp_path: Path
) -> None:
    """The same, with the files of a registry behind nginx."""
    if NGINX is None:
        pytest.skip("nginx is not installed (apt-get install nginx-light)")
    with nginx(tmp_path / "web") as port:
        await _through_breaks(fault, port, tmp_path)


async def _through_breaks(fault: Fault, port: int, place: Path) -> None:
    for number, chance in enumerate(fault.dice(full=50, short=4)):
        root = place / "stores" / str(number)
        left = [chance.randint(1, 5)]

        def next_break(request: bytes, chance=chance, left=left) -> Break:  # type: ignore[no-untyped-def]
            if b"/blobs/" not in request or not left[0]:
                return Break()
            left[0] -= 1
            kind = chance.choice([Kind.CUT, Kind.RESET, Kind.SILENCE])
            return Break(kind, chance.randrange(700_000))

        with tcp_proxy(port, next_break) as proxy:
            provider = LocalProvider(root, policy=replace(EAGER, tries=7))
            await pull(provider, f"http://{proxy.netloc}/ns/model:tag")
            assert is_installed(root, f"{proxy.netloc}/ns/model/tag", MODEL)
            await provider.close()


@contextmanager
def nginx(place: Path) -> Iterator[int]:
    """Serve a model's manifest and blobs as plain files."""
    files = place / "v2" / "ns" / "model"
    (files / "manifests").mkdir(parents=True)
    (files / "blobs").mkdir()
    (files / "manifests" / "tag").write_bytes(MODEL.manifest)
    for digest, data in MODEL.blobs.items():
        (files / "blobs" / digest).write_bytes(data)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    config = place / "nginx.conf"
    config.write_text(
        f"daemon off; pid {place}/pid; error_log {place}/error.log; user root;\n"
        "events {}\n"
        f"http {{ access_log off; client_body_temp_path {place}/body;\n"
        f"server {{ listen 127.0.0.1:{port}; root {place}; }} }}\n"
    )
    assert NGINX is not None
    process = subprocess.Popen((NGINX, "-c", str(config), "-e", f"{place}/error.log"))
    try:
        end_s = time.monotonic() + 10
        while not _answers(port):
            assert time.monotonic() < end_s, "nginx does not answer"
            time.sleep(0.02)
        yield port
    finally:
        process.terminate()
        process.wait(10)


def _answers(port: int) -> bool:
    with suppress(OSError):
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    return False
