"""Pulls from a real registry, Debian's docker-registry, over http and https."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ollm_tui.core.error import DownloadFailed, HttpsMissing, ModelNotFound
from ollm_tui.providers.local.auth import Credentials
from ollm_tui.providers.local.inspection import inspect_store
from ollm_tui.providers.local.provider import LocalProvider
from ollm_tui.providers.local.usage import leftovers
from tests.docker_registry import (
    MISSING,
    PASSWORD,
    PROGRAM,
    USER,
    DockerRegistry,
    docker_registry,
)
from tests.provider.local.conftest import EAGER
from tests.provider.local.pulling import big_model, is_installed, pull
from tests.store_builder import made_model

pytestmark = pytest.mark.skipif(PROGRAM is None, reason=MISSING)
CERTIFICATE = Path(__file__).parent.parent / "loopback.pem"
MODEL = made_model()
BIG = big_model(4_000_000)


@pytest.fixture(scope="module")
def docker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DockerRegistry]:
    """A registry with two models."""
    with docker_registry(tmp_path_factory.mktemp("registry")) as running:
        running.push("library/small:latest", MODEL)
        running.push("some/big:v1", BIG)
        yield running


async def test_a_model_is_pulled_listed_shown_and_verified(
    provider: LocalProvider, docker: DockerRegistry
) -> None:
    for path in ("library/small:latest", "some/big:v1"):
        await pull(provider, f"http://{docker.netloc}/{path}")
    store = provider.store
    assert is_installed(store.root, f"{docker.netloc}/library/small/latest", MODEL)
    assert is_installed(store.root, f"{docker.netloc}/some/big/v1", BIG)
    listed = (await provider.list_models()).models
    assert {model.name for model in listed} == {
        f"{docker.netloc}/library/small:latest",
        f"{docker.netloc}/some/big:v1",
    }
    details = await provider.show(f"{docker.netloc}/library/small")
    assert details.info.context_window == 8192
    findings = inspect_store(store, verify=True)
    assert [finding.subject for finding in findings] == [f"{docker.netloc}/some/big:v1"]
    assert findings[0].kind == "unreadable weights"  # random bytes are no weights
    assert (await provider.plan(f"http://{docker.netloc}/some/big:v1")).is_current


async def test_a_resume_asks_the_real_registry_for_the_rest(
    tmp_path: Path, docker: DockerRegistry
) -> None:
    slow = LocalProvider(tmp_path / "models", policy=EAGER, bytes_per_s=8_000_000)
    steps = slow.pull(f"http://{docker.netloc}/some/big:v1")
    async for step in steps:
        if step.completed_bytes > 1_000_000:
            break
    await steps.aclose()
    await slow.close()
    fast = LocalProvider(tmp_path / "models", policy=EAGER)
    (leftover,) = [item for item in leftovers(fast.store) if item.model]
    assert 1_000_000 <= leftover.completed_bytes < 2_000_000
    assert leftover.model == f"http://{docker.netloc}/some/big:v1"
    await pull(fast, leftover.model)
    assert is_installed(fast.store.root, f"{docker.netloc}/some/big/v1", BIG)
    await fast.close()


async def test_what_the_real_registry_does_not_have_is_not_found(
    provider: LocalProvider, docker: DockerRegistry
) -> None:
    with pytest.raises(ModelNotFound, match="manifest unknown"):
        await pull(provider, f"http://{docker.netloc}/library/none:latest")


async def test_https_needs_a_certificate_that_is_trusted(tmp_path: Path) -> None:
    (tmp_path / "registry").mkdir()
    with docker_registry(tmp_path / "registry", CERTIFICATE) as docker:
        docker.push("library/small:latest", MODEL)
        docker.push("some/big:v1", BIG)
        stranger = LocalProvider(tmp_path / "models", policy=EAGER)
        with pytest.raises(DownloadFailed, match="is not trusted") as caught:
            await pull(stranger, f"{docker.netloc}/library/small:latest")
        assert not caught.value.retryable
        friend = LocalProvider(tmp_path / "models", policy=EAGER, ca_file=str(CERTIFICATE))
        await pull(friend, f"{docker.netloc}/some/big:v1")
        assert is_installed(friend.store.root, f"{docker.netloc}/some/big/v1", BIG)
        with pytest.raises(DownloadFailed):
            await pull(friend, f"http://{docker.netloc}/some/big:v1")
        await stranger.close()
        await friend.close()


async def test_a_registry_without_https_is_named_with_how_to_ask_for_plain_http(
    provider: LocalProvider, docker: DockerRegistry
) -> None:
    with pytest.raises(HttpsMissing, match="does not speak https") as caught:
        await pull(provider, f"{docker.netloc}/library/small:latest")
    assert f"begin the model's name with http://{docker.netloc}/" in caught.value.actions[0]
    assert not caught.value.retryable


async def test_a_private_registry_gives_to_who_may_have_it(tmp_path: Path) -> None:
    """Over https, as one would set it up."""
    (tmp_path / "registry").mkdir()
    with docker_registry(tmp_path / "registry", CERTIFICATE, is_private=True) as docker:
        docker.push("some/small:v1", MODEL)
        name = f"{docker.netloc}/some/small:v1"
        for password in ("", "wrong"):
            stranger = LocalProvider(
                tmp_path / "models",
                policy=EAGER,
                ca_file=str(CERTIFICATE),
                credentials={docker.netloc: Credentials(USER, password, "MY_PASSWORD")},
            )
            with pytest.raises(DownloadFailed) as caught:
                await pull(stranger, name)
            assert f'registries."{docker.netloc}".passwordEnv' in caught.value.actions[0]
            await stranger.close()
        friend = LocalProvider(
            tmp_path / "models",
            policy=EAGER,
            ca_file=str(CERTIFICATE),
            credentials={docker.netloc: Credentials(USER, PASSWORD)},
        )
        await pull(friend, name)
        assert is_installed(friend.store.root, f"{docker.netloc}/some/small/v1", MODEL)
        await friend.close()
