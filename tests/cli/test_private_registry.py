"""Registries that want to know who asks: they are told what the configuration says, others not."""

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ollm_tui.cli.arguments import parse_arguments
from ollm_tui.cli.provider_choice import make_provider
from ollm_tui.cli.servers import Servers
from ollm_tui.cli.setup import Setup
from ollm_tui.providers.base import PlanSupport
from tests import faulty_registry as faults
from tests.cli.conftest import Cli
from tests.faulty_registry import Exchange, FaultyRegistry, faulty_registry
from tests.store_builder import digest_of, made_model

MODEL = made_model()
SECRET = "s3same"
BASIC = f"Basic {base64.b64encode(f'me:{SECRET}'.encode()).decode()}"
TOKEN = "Bearer t0ken"


def challenge(registry: FaultyRegistry, scheme: str) -> str:
    realm = f"http://{registry.netloc}/token"
    return f'{scheme} realm="{realm}",service="registry",scope="repository:ns/model:pull"'


@pytest.fixture(params=["Basic", "Bearer"])
def registry(request: pytest.FixtureRequest) -> Iterator[FaultyRegistry]:
    """One that gives its model to `me` only."""
    wanted = BASIC if request.param == "Basic" else TOKEN

    with faulty_registry() as running:
        running.push(MODEL)

        def serve(exchange: Exchange) -> None:
            path = exchange.path
            if exchange.headers.get("authorization") != wanted:
                ask = challenge(running, request.param)
                return exchange.whole(401, b"", WWW_Authenticate=ask)
            found = running.manifests.get(path) or running.blobs.get(path.rpartition("/")[2])
            return exchange.whole(200, found) if found else exchange.whole(404, b"")

        def give_token(exchange: Exchange) -> None:
            is_me = exchange.headers.get("authorization") == BASIC
            exchange.whole(200 if is_me else 401, b'{"token":"t0ken"}' if is_me else b"")

        running.routes = {"/v2/": serve, "/token": give_token}
        yield running


@pytest.fixture
def config(tmp_path: Path, registry: FaultyRegistry, monkeypatch: pytest.MonkeyPatch) -> str:
    """A configuration that knows the registry."""
    monkeypatch.setenv("REGISTRY_PASSWORD", SECRET)
    monkeypatch.setenv("OLLAMA_MODELS", str(tmp_path / "models"))
    path = tmp_path / "given.yaml"
    login = "{user: me, passwordEnv: REGISTRY_PASSWORD}"
    path.write_text(f'registries: {{"{registry.netloc}": {login}}}\n')
    path.chmod(0o600)
    return str(path)


def test_a_pull_into_the_store_signs_in(
    cli: Cli, config: str, registry: FaultyRegistry, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    words = ("--provider", "local", "--config", config, "--log-file", str(log))
    result = cli("pull", registry.name(), "--json", *words)
    assert result.status == 0, result.err
    blobs = {path.name.replace("-", ":") for path in (tmp_path / "models/blobs").iterdir()}
    assert set(MODEL.blobs) <= blobs
    shown = cli("config", "show", "--origin", "--config", config)
    told = result.out + result.err + shown.out + shown.err
    told += log.read_text() if log.exists() else ""
    assert "REGISTRY_PASSWORD" in shown.out
    assert SECRET not in told
    assert BASIC.split()[1] not in told


async def test_totals_and_updates_beside_a_server_sign_in(
    config: str, registry: FaultyRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also beside a server that was typed: the registry is the same whoever the server is."""
    monkeypatch.delenv("OLLM_NO_REGISTRY")
    words = ["list", "--config", config, "--host", "127.0.0.1:9"]
    setup = Setup(parse_arguments(words))
    source = Servers(setup)
    typed = source._connection(source.typed("127.0.0.1:9"))
    for connection in (setup.connection(), typed):
        provider = make_provider(setup, connection)
        assert isinstance(provider, PlanSupport)
        assert (await provider.plan(registry.name())).total_bytes == MODEL.total_bytes
        await provider.close()


def test_nothing_of_it_goes_elsewhere(cli: Cli, config: str, registry: FaultyRegistry) -> None:
    """Neither to the place that a registry sends on to, nor to another registry that asks."""
    with faulty_registry("127.0.0.2") as other:
        other.push(MODEL)
        weights = digest_of(MODEL.layers["model"])
        elsewhere = faults.redirect(f"http://{other.netloc}/v2/ns/model/blobs/{weights}")
        registry.routes = {f"/v2/ns/model/blobs/{weights}": elsewhere, **registry.routes}
        words = ("--provider", "local", "--config", config)
        assert cli("pull", registry.name(), *words).status == 0
        assert [exchange.path for exchange in other.requests] == [f"/v2/ns/model/blobs/{weights}"]
        for scheme in ("Basic", "Bearer"):
            other.routes = {
                "/v2/": faults.status(401, WWW_Authenticate=challenge(other, scheme)),
                "/token": faults.status(401),
            }
            assert cli("pull", other.name("ns/other:tag"), *words).status == 4
        assert other.asked("/token")
        assert all("authorization" not in exchange.headers for exchange in other.requests)


@pytest.mark.parametrize("code", [401, 403])
@pytest.mark.parametrize(
    ("login", "password", "step"),
    [
        ("", "", "set {key}.user and {key}.passwordEnv in the configuration"),
        ("{user: me}", "", "Set {key}.passwordEnv to the name of the variable"),
        ("{passwordEnv: MY_PASS}", "", "Set the environment variable MY_PASS"),
        ("{passwordEnv: MY_PASS}", "wrong", "the password in MY_PASS ({key}.passwordEnv)"),
        ("{passwordEnv: hunter2}", "", "Set the environment variable •••"),
    ],
)
def test_a_refusal_names_the_setting_that_helps(
    cli: Cli,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    login: str,
    password: str,
    step: str,
    code: int,
) -> None:
    monkeypatch.setenv("OLLAMA_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("MY_PASS", password)
    path = tmp_path / "given.yaml"
    with faulty_registry() as registry:
        path.write_text(f'registries: {{"{registry.netloc}": {login}}}\n' if login else "{}\n")
        path.chmod(0o600)
        ask: dict[str, Any] = {"WWW_Authenticate": 'Basic realm="r"'} if code == 401 else {}
        registry.routes = {"/v2/": faults.status(code, **ask)}
        words = ("--provider", "local", "--config", str(path))
        result = cli("pull", registry.name(), *words)
        key = f'registries."{registry.netloc}"'
    assert result.status == 4
    assert step.format(key=key) in result.err
    assert "hunter2" not in result.err
    assert "wrong" not in result.err
