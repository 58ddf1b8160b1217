"""Pulls from a registry in this process: what goes right, and every way in which it goes wrong."""

import asyncio
import os
import stat
from pathlib import Path

import pytest
from blockbuster import blockbuster_ctx

from ollm_tui import __version__
from ollm_tui.core.error import (
    DeleteFailed,
    DownloadFailed,
    HttpsMissing,
    InvalidName,
    ModelNotFound,
    NotEnoughSpace,
    OllmError,
    ProviderGarbled,
)
from ollm_tui.core.progress import PullPhase
from ollm_tui.providers.base import DiscardSupport, GenerateSupport, Provider, RunningSupport
from ollm_tui.providers.local import wire
from ollm_tui.providers.local.attempt import TransferPolicy
from ollm_tui.providers.local.auth import Credentials
from ollm_tui.providers.local.provider import LocalProvider
from ollm_tui.providers.local.store import Store
from tests import faulty_registry as faults
from tests.faulty_registry import Exchange, Fault, FaultyRegistry
from tests.provider.local.conftest import EAGER
from tests.provider.local.pulling import (
    big_model,
    is_installed,
    no_wrong_file,
    pull,
    weights_digest,
)
from tests.store_builder import digest_of, made_model, tree

MODEL = big_model()
WEIGHTS = weights_digest(MODEL)


def installed_at(registry: FaultyRegistry) -> str:
    return f"{registry.netloc}/ns/model/tag"


async def test_a_pull_ends_with_a_model_that_can_be_listed(
    provider: LocalProvider, registry: FaultyRegistry
) -> None:
    registry.push(MODEL)
    steps = await pull(provider, registry.name())
    assert steps[0].phase is PullPhase.RESOLVING
    assert steps[-1].phase is PullPhase.SUCCESS
    assert steps[1].total_bytes == MODEL.total_bytes  # before the first byte
    last = {step.layer: step for step in steps if step.layer}
    assert {digest: step.completed_bytes for digest, step in last.items()} == {
        digest: len(data) for digest, data in MODEL.blobs.items()
    }
    assert all(step.total_bytes == len(MODEL.blobs[step.layer]) for step in steps if step.layer)
    assert is_installed(provider.store.root, installed_at(registry), MODEL)
    assert [model.digest for model in (await provider.list_models()).models] == [MODEL.digest]


async def test_the_store_is_a_provider_that_runs_nothing(provider: LocalProvider) -> None:
    as_provider: Provider = provider
    assert (as_provider.kind, as_provider.host) == ("local", str(provider.store.root))
    assert await as_provider.version() == ""
    assert not isinstance(provider, RunningSupport | GenerateSupport)


async def test_models_can_be_copied_and_deleted(
    provider: LocalProvider, registry: FaultyRegistry
) -> None:
    registry.push(MODEL)
    await pull(provider, registry.name())
    name = f"{registry.netloc}/ns/model:tag"
    await provider.copy(name, "mine:v1")
    await provider.delete(name)
    assert (await provider.show("mine:v1")).info.digest == MODEL.digest
    (provider.store.root / "manifests/registry.ollama.ai/library/mine/v2").write_bytes(b"{")
    with pytest.raises(DeleteFailed, match="its files stay"):
        await provider.delete("mine:v1")
    with pytest.raises(InvalidName):
        await provider.copy("mine:v1", "../../x")


async def test_the_event_loop_is_never_blocked(
    provider: LocalProvider, registry: FaultyRegistry
) -> None:
    registry.push(MODEL)
    await provider.list_models()  # what is imported on first use is read from disk
    with blockbuster_ctx():
        await pull(provider, registry.name())
        await provider.plan(registry.name())
        (model,) = (await provider.list_models()).models
        await provider.show(model.name)
        await provider.copy(model.name, "mine")
        await provider.delete(model.name)
        await provider.close()


async def test_layers_come_one_after_another_and_each_is_reported_whole(
    provider: LocalProvider, registry: FaultyRegistry
) -> None:
    """So that who counts a layer as done when the next one starts is right."""
    registry.push(MODEL)
    layers = [step.layer for step in await pull(provider, registry.name()) if step.layer]
    order = list(dict.fromkeys(layers))
    assert layers == sorted(layers, key=order.index)
    assert order[0] == digest_of(MODEL.config_bytes)


async def test_the_store_is_left_as_a_server_wants_it(
    provider: LocalProvider, registry: FaultyRegistry
) -> None:
    registry.push(MODEL)
    await pull(provider, registry.name())
    root = provider.store.root
    assert {path for path in tree(root) if path.startswith(".ollm-tui")} == {".ollm-tui/store.lock"}
    for path in root.rglob("*"):
        mode = 0o755 if path.is_dir() else 0o644
        assert stat.S_IMODE(path.stat().st_mode) == mode, path


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can write for others")
async def test_what_root_writes_belongs_to_the_owner_of_the_store(
    provider: LocalProvider, registry: FaultyRegistry
) -> None:
    root = provider.store.root
    root.mkdir()
    os.chown(root, 12345, 12346)
    registry.push(MODEL)
    await pull(provider, registry.name())
    owners = {(path.stat().st_uid, path.stat().st_gid) for path in root.rglob("*")}
    assert owners == {(12345, 12346)}


async def test_requests_say_honestly_who_asks(
    provider: LocalProvider, registry: FaultyRegistry
) -> None:
    registry.push(MODEL)
    await pull(provider, registry.name())
    for request in registry.requests:
        assert request.headers["user-agent"] == f"ollm-tui/{__version__}"
        assert "authorization" not in request.headers
    manifest = registry.asked("/manifests/")[0]
    assert manifest.headers["accept"] == "application/vnd.docker.distribution.manifest.v2+json"


async def test_what_is_here_is_not_fetched_again(
    provider: LocalProvider, registry: FaultyRegistry
) -> None:
    registry.push(MODEL)
    await pull(provider, registry.name())
    registry.requests.clear()
    plan = await provider.plan(registry.name())
    assert (plan.is_current, plan.missing_bytes, plan.total_bytes) == (True, 0, MODEL.total_bytes)
    await pull(provider, registry.name())
    assert registry.asked("/blobs/") == []


async def test_an_update_is_noticed_and_fetches_only_what_is_new(
    provider: LocalProvider, registry: FaultyRegistry
) -> None:
    registry.push(MODEL)
    await pull(provider, registry.name())
    newer = made_model(weights=MODEL.layers["model"], template=b"{{ .Prompt }} better")
    registry.push(newer)
    registry.requests.clear()
    plan = await provider.plan(registry.name())
    assert (plan.is_current, plan.digest) == (False, newer.digest)
    assert plan.missing_bytes == len(newer.layers["template"])
    await pull(provider, registry.name())
    assert len(registry.asked("/blobs/")) == 1
    assert is_installed(provider.store.root, installed_at(registry), newer)
    assert provider.store.blob_size(digest_of(MODEL.layers["template"])) is None


COMPLETES: dict[str, list[Fault]] = {
    "cut": [faults.cut_after(1_000_000)],
    "cut again and again": [faults.cut_after(150_000)] * 8,
    "reset": [faults.reset_after(500_000)],
    "stall": [faults.stall_after(700_000)],
    "silence": [faults.silent],
    "range ignored": [faults.cut_after(1_000_000), faults.whole_file],
    "range ignored, and cut": [faults.cut_after(900_000), faults.cut_after(0), faults.whole_file],
    "wrong range once": [faults.cut_after(1_000_000), faults.wrong_range],
    "wrong bytes once": [faults.wrong_bytes],
    "wrong bytes after a cut": [faults.cut_after(1_000_000), faults.wrong_bytes],
    "416": [faults.cut_after(1_000_000), faults.status(416, b"short", Content_Length=10**9)],
    "500": [faults.status(500)],
    "503 and when": [faults.status(503, Retry_After="0")],
    "429 and when": [faults.status(429, Retry_After="0"), faults.status(429, Retry_After="0")],
    "short body once": [faults.short_body],
    "long body once": [faults.long_body],
    "chunked": [faults.chunked],
}


@pytest.mark.parametrize("kind", COMPLETES)
async def test_a_fault_that_passes_ends_with_the_right_file(
    provider: LocalProvider, registry: FaultyRegistry, kind: str
) -> None:
    registry.push(MODEL)
    registry.fail(WEIGHTS, *COMPLETES[kind])
    await pull(provider, registry.name())
    assert not registry.blob_faults[WEIGHTS]
    assert is_installed(provider.store.root, installed_at(registry), MODEL)


FAILS: dict[str, tuple[Fault, str]] = {
    "cut": (faults.cut_after(0), "closed too early"),
    "reset": (faults.reset_after(0), "reset"),
    "stall": (faults.stall_after(0), "no data came for 0.2 s"),
    "wrong bytes": (faults.wrong_bytes, "twice"),
    "500": (faults.status(500, b"<html>"), "HTTP 500"),
    "404": (faults.status(404, b'{"errors":[{"message":"gone"}]}'), "gone"),
    "403": (faults.status(403, b'{"error":"not yours\x1b[2J"}'), "not yours\ufffd[2J"),
    "412": (faults.status(412, b"newer version, please"), "newer version, please"),
    "short": (faults.short_body, "announces 1499999 bytes"),
    "long": (faults.long_body, "announces 1500004 bytes"),
    "gzip": (faults.status(200, b"x", Content_Encoding="gzip"), "compressed"),
}


@pytest.mark.parametrize("kind", FAILS)
async def test_a_fault_that_stays_ends_with_its_reason_and_no_wrong_file(
    provider: LocalProvider, registry: FaultyRegistry, kind: str
) -> None:
    fault, cause = FAILS[kind]
    registry.push(MODEL)
    registry.fail(WEIGHTS, *[fault] * 10)
    with pytest.raises(OllmError) as caught:
        await pull(provider, registry.name())
    assert cause in caught.value.cause
    assert no_wrong_file(provider.store.root)
    assert provider.store.blob_size(WEIGHTS) is None
    assert not (provider.store.root / "manifests").exists()


async def test_a_resume_goes_on_where_it_stopped(
    provider: LocalProvider, registry: FaultyRegistry
) -> None:
    registry.push(MODEL)
    registry.fail(WEIGHTS, *[faults.cut_after(0 if n else 1_200_000) for n in range(10)])
    with pytest.raises(DownloadFailed):
        await pull(provider, registry.name())
    registry.blob_faults.clear()
    registry.requests.clear()
    await pull(provider, registry.name())
    (request,) = registry.asked("/blobs/" + WEIGHTS)
    assert request.headers["range"] == "bytes=1200000-"
    assert request.headers["if-range"] == '"v1"'


async def test_another_version_of_the_file_is_not_mixed_with_the_old_one(
    provider: LocalProvider, registry: FaultyRegistry
) -> None:
    """A server with another ETag than before sends all of it, which replaces what was there."""
    registry.push(MODEL)

    def newer(exchange: Exchange) -> None:
        assert exchange.headers["if-range"] == '"v1"'
        exchange.whole(200, exchange.blob, ETag='"v2"')

    registry.fail(WEIGHTS, faults.cut_after(1_000_000), newer)
    await pull(provider, registry.name())
    assert is_installed(provider.store.root, installed_at(registry), MODEL)


async def test_progress_counts_what_was_there_before(
    provider: LocalProvider, registry: FaultyRegistry
) -> None:
    registry.push(MODEL)
    registry.fail(WEIGHTS, *[faults.cut_after(0 if n else 1_200_000) for n in range(10)])
    with pytest.raises(DownloadFailed):
        await pull(provider, registry.name())
    registry.fail(WEIGHTS, faults.stall_after(0))
    steps = [step for step in await pull(provider, registry.name()) if step.layer == WEIGHTS]
    assert any(1_200_000 <= step.completed_bytes < 1_500_000 for step in steps)


async def test_plain_http_is_on_offer_for_the_registry_only_and_not_where_it_sends_on_to(
    provider: LocalProvider, registry: FaultyRegistry
) -> None:
    registry.push(MODEL)
    with pytest.raises(HttpsMissing) as missing:
        await pull(provider, f"{registry.netloc}/ns/model:tag")
    assert missing.value.registry == registry.netloc
    assert registry.requests == []
    registry.fail(WEIGHTS, faults.redirect(f"https://{registry.netloc}/elsewhere"))
    with pytest.raises(DownloadFailed, match="does not speak https") as caught:
        await pull(provider, registry.name())
    assert not isinstance(caught.value, HttpsMissing)
    assert "sends on to it" in caught.value.cause


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
async def test_redirects_are_followed_without_the_credentials(
    tmp_path: Path, registry: FaultyRegistry, code: int
) -> None:
    model = made_model()
    provider = LocalProvider(
        tmp_path / "models",
        policy=EAGER,
        credentials={registry.netloc: Credentials("me", "secret")},
    )
    with faults.faulty_registry("127.0.0.2") as storage:
        storage.push(model)
        registry.manifests["/v2/ns/model/manifests/tag"] = model.manifest
        registry.manifest_faults.append(faults.status(401, WWW_Authenticate='Basic realm="r"'))

        def send_on(exchange: Exchange) -> None:
            assert exchange.headers["authorization"].startswith("Basic ")
            redirect = faults.redirect(f"http://{storage.netloc}{exchange.path}?sig=1", code)
            redirect(exchange)

        registry.routes["/v2/ns/model/blobs/"] = send_on
        storage.routes["/v2/"] = lambda exchange: exchange.whole(
            200, storage.blobs[exchange.path.partition("?")[0].rpartition("/")[2]]
        )
        await pull(provider, registry.name())
        assert storage.requests
        assert all("authorization" not in request.headers for request in storage.requests)
    assert is_installed(provider.store.root, installed_at(registry), model)
    await provider.close()


async def test_a_200_with_a_place_instead_of_the_file_is_followed(
    provider: LocalProvider, registry: FaultyRegistry
) -> None:
    model = made_model()
    registry.push(model)
    digest = digest_of(model.layers["model"])
    registry.blobs["elsewhere"] = model.layers["model"]
    registry.fail(digest, faults.status(200, Location="/elsewhere"))
    await pull(provider, registry.name())
    assert registry.asked("/elsewhere")


async def test_an_expired_address_is_asked_for_again(
    provider: LocalProvider, registry: FaultyRegistry
) -> None:
    registry.push(MODEL)
    with faults.faulty_registry("127.0.0.2") as storage:
        storage.push(MODEL)
        registry.fail(WEIGHTS, *[faults.redirect(f"http://{storage.netloc}/x/{WEIGHTS}")] * 4)
        expired = faults.status(403, b"expired")
        storage.fail(WEIGHTS, expired, faults.cut_after(1_000_000), expired)
        await pull(provider, registry.name())
        assert len(storage.requests) == 4
        assert storage.requests[-1].headers["range"] == "bytes=1000000-"
    assert is_installed(provider.store.root, installed_at(registry), MODEL)


async def test_unknown_models_are_not_found(
    provider: LocalProvider, registry: FaultyRegistry
) -> None:
    with pytest.raises(ModelNotFound, match="The registry has no model"):
        await pull(provider, registry.name("ns/none:tag"))


@pytest.mark.parametrize(
    ("fault", "kind", "cause"),
    [
        (faults.endless, ProviderGarbled, "longer than 1048576"),
        (faults.status(200, b"<html>log in</html>"), ProviderGarbled, "not JSON"),
        (faults.status(200, b"{}", Content_Encoding="gzip"), ProviderGarbled, "compressed"),
        (faults.status(412, b"update"), DownloadFailed, "update"),
        (faults.status(403), DownloadFailed, "HTTP 403"),
        (faults.redirect("http://[bad"), DownloadFailed, "no address"),
        (faults.redirect("file:///etc/passwd"), DownloadFailed, "no address"),
        (faults.redirect("ftp://host/x"), DownloadFailed, "no address"),
    ],
)
async def test_a_manifest_that_cannot_be_had_says_why(
    provider: LocalProvider,
    registry: FaultyRegistry,
    fault: Fault,
    kind: type[OllmError],
    cause: str,
) -> None:
    registry.manifest_faults.append(fault)
    with pytest.raises(kind) as caught:
        await pull(provider, registry.name())
    assert cause in caught.value.cause
    assert not (provider.store.root / "blobs").exists()


@pytest.mark.parametrize(
    "fault", [faults.status(502), faults.cut_after(0), faults.silent, faults.reset_after(0)]
)
async def test_a_manifest_is_asked_for_again(
    provider: LocalProvider, registry: FaultyRegistry, fault: Fault
) -> None:
    model = made_model()
    registry.push(model)
    registry.blobs["tag"] = model.manifest  # what the faults cut
    registry.manifest_faults.append(fault)
    await pull(provider, registry.name())
    assert len(registry.asked("/manifests/")) == 2


async def test_going_round_in_circles_ends(
    provider: LocalProvider, registry: FaultyRegistry
) -> None:
    registry.routes["/v2/"] = faults.redirect("/v2/again")
    with pytest.raises(DownloadFailed, match="more than 10 times"):
        await pull(provider, registry.name())
    assert len(registry.requests) == 11


async def test_nobody_there_says_so(provider: LocalProvider) -> None:
    with pytest.raises(DownloadFailed, match="connection refused"):
        await pull(provider, "http://127.0.0.1:9/ns/model:tag")


def bearer(registry: FaultyRegistry, realm: str) -> Fault:
    """Ask for a token, and give only those an answer that have one."""

    def answer(exchange: Exchange) -> None:
        if exchange.headers.get("authorization") == "Bearer t0ken":
            path = exchange.path
            body = registry.manifests.get(path) or registry.blobs[path.rpartition("/")[2]]
            exchange.whole(200, body)
        else:
            ask = f'Bearer realm="{realm}",service="registry",scope="repository:ns/model:pull"'
            exchange.whole(401, b"", WWW_Authenticate=ask)

    return answer


async def test_a_token_is_fetched_once_and_used(
    provider: LocalProvider, registry: FaultyRegistry
) -> None:
    model = made_model()
    registry.push(model)
    registry.routes["/v2/"] = bearer(registry, f"http://{registry.netloc}/token")
    registry.routes["/token"] = faults.status(200, b'{"token":"t0ken"}')
    await pull(provider, registry.name())
    (request,) = registry.asked("/token")
    assert request.path == "/token?service=registry&scope=repository%3Ans%2Fmodel%3Apull"
    assert is_installed(provider.store.root, installed_at(registry), model)


@pytest.mark.parametrize(
    "realm",
    ["http://127.0.0.2:1/token", "https://127.0.0.1/token", "/token", "", "http://[", "file:///x"],
)
async def test_a_realm_on_another_host_gets_nothing(
    tmp_path: Path, registry: FaultyRegistry, realm: str
) -> None:
    secret = {registry.netloc: Credentials("me", "secret")}
    provider = LocalProvider(tmp_path / "models", policy=EAGER, credentials=secret)
    registry.routes["/v2/"] = bearer(registry, realm)
    with pytest.raises(DownloadFailed, match="sign in at another address"):
        await pull(provider, registry.name())
    assert all("authorization" not in request.headers for request in registry.requests)
    await provider.close()


async def test_a_token_that_is_not_given_just_now_is_asked_for_again(
    provider: LocalProvider, registry: FaultyRegistry
) -> None:
    registry.push(MODEL)
    registry.routes["/v2/"] = bearer(registry, f"http://{registry.netloc}/token")
    answers = iter([faults.status(503), faults.status(200, b'{"token":"t0ken"}')])
    registry.routes["/token"] = lambda exchange: next(answers)(exchange)
    await pull(provider, registry.name())
    assert is_installed(provider.store.root, installed_at(registry), MODEL)


@pytest.mark.parametrize("body", [b"", b"[]", b'{"token":7}', b'{"token":"a\\r\\nHost: b"}'])
async def test_a_token_that_cannot_be_one_is_refused(
    provider: LocalProvider, registry: FaultyRegistry, body: bytes
) -> None:
    registry.routes["/v2/"] = bearer(registry, f"http://{registry.netloc}/token")
    registry.routes["/token"] = faults.status(200, body)
    with pytest.raises(DownloadFailed, match="token it gives cannot be used"):
        await pull(provider, registry.name())


async def test_a_public_registry_cannot_send_us_to_our_own_network(
    provider: LocalProvider, registry: FaultyRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """127.0.0.1 plays the public one; the guard sees 127.0.0.2 before anything is sent there."""
    monkeypatch.setattr(wire, "_is_public", lambda host: host in ("127.0.0.1", "localhost"))
    registry.push(MODEL)
    with faults.faulty_registry("127.0.0.2") as inner:
        for host in ("127.0.0.2", "127.0.0.2."):
            registry.fail(WEIGHTS, faults.redirect(f"http://{host}:{inner.port}/secret"))
            with pytest.raises(DownloadFailed, match="which is refused"):
                await pull(provider, registry.name())
        assert inner.requests == []


@pytest.mark.parametrize(
    ("location", "target"),
    [
        ("/y", "https://registry.example/y"),
        ("//cdn.example/y", "https://cdn.example/y"),
        ("https://cdn.example:8443/y?sig=1", "https://cdn.example:8443/y?sig=1"),
    ],
)
def test_redirects_may_be_relative(location: str, target: str) -> None:
    assert wire._next_url("https://registry.example/x", location) == target


@pytest.mark.parametrize("location", ["http://registry.example/x", "http://cdn.example/x"])
def test_redirects_never_lead_from_https_to_http(location: str) -> None:
    with pytest.raises(DownloadFailed, match="away from https"):
        wire._next_url("https://registry.example/x", location)


@pytest.mark.parametrize(
    ("host", "public"),
    [
        ("8.8.8.8", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("::1", False),
        ("fe80::1%eth0", False),
        ("::ffff:127.0.0.1", False),
        ("::ffff:8.8.8.8", True),
        ("0.0.0.0", False),
        ("localhost", False),
        ("x.localhost", False),
        ("registry.ollama.ai", True),
    ],
)
def test_addresses_of_this_network_are_known(host: str, public: bool) -> None:
    assert wire._is_public(host) is public


async def test_a_proxy_of_the_environment_is_not_asked_for_this_machine(
    provider: LocalProvider, registry: FaultyRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    registry.push(MODEL)
    await pull(provider, registry.name())


async def test_a_proxy_of_the_environment_is_used(
    provider: LocalProvider, registry: FaultyRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The registry here plays the proxy: it gets the whole address, and looks up no name."""
    monkeypatch.setenv("HTTP_PROXY", f"http://{registry.netloc}")
    model = made_model()
    registry.push(model)
    base = "http://registry.example/v2/ns/model/manifests/tag"
    registry.manifests[base] = model.manifest
    await pull(provider, "http://registry.example/ns/model:tag")
    assert registry.requests[0].path == base


async def test_a_model_for_a_newer_server_is_refused_before_its_weights(
    tmp_path: Path, registry: FaultyRegistry
) -> None:
    model = big_model()
    model.config["requires"] = "0.14.0"
    registry.push(model)
    provider = LocalProvider(tmp_path / "models", policy=EAGER, server_version="0.9.7")
    with pytest.raises(DownloadFailed, match=r"needs Ollama 0\.14\.0"):
        await pull(provider, registry.name())
    assert registry.asked(WEIGHTS) == []
    for version in ("0.14.0", "0.15", "0.0.0", ""):
        provider = LocalProvider(tmp_path / "m", policy=EAGER, server_version=version)
        steps = await pull(provider, registry.name())
        noticed = any("needs Ollama 0.14.0" in step.detail for step in steps)
        assert noticed is (version in ("0.0.0", ""))
        await provider.delete(registry.name())
        await provider.close()


async def test_a_full_disk_is_noticed_before_the_first_byte(
    provider: LocalProvider, registry: FaultyRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry.push(MODEL)
    monkeypatch.setattr(Store, "free_bytes", 1_000_000)
    with pytest.raises(NotEnoughSpace) as caught:
        await pull(provider, registry.name())
    assert (caught.value.needed_bytes, caught.value.free_bytes) == (MODEL.total_bytes, 1_000_000)
    assert registry.asked("/blobs/") == []


async def test_two_pulls_of_one_model_share_its_transfers(
    provider: LocalProvider, registry: FaultyRegistry
) -> None:
    registry.push(MODEL)
    registry.push(MODEL, "ns/alias:tag")
    registry.fail(WEIGHTS, faults.stall_after(1000))
    both = [pull(provider, registry.name()), pull(provider, registry.name("ns/alias:tag"))]
    await asyncio.gather(*both)
    assert len(registry.asked(f"/blobs/{WEIGHTS}")) == 2  # the stalled one, and the next
    assert len((await provider.list_models()).models) == 2


async def test_two_processes_do_not_fetch_the_same_blob(
    tmp_path: Path, registry: FaultyRegistry
) -> None:
    registry.push(MODEL)
    registry.fail(WEIGHTS, faults.stall_after(1000))
    first, second = (LocalProvider(tmp_path / "models", policy=EAGER) for _ in range(2))
    await asyncio.gather(pull(first, registry.name()), pull(second, registry.name()))
    assert len(registry.asked(f"/blobs/{WEIGHTS}")) == 2
    assert is_installed(first.store.root, installed_at(registry), MODEL)
    await first.close()
    await second.close()


@pytest.mark.parametrize("kind", ["stalled body", "silent blob", "silent manifest", "waiting"])
async def test_a_cancel_is_prompt_and_keeps_what_has_arrived(
    tmp_path: Path, registry: FaultyRegistry, kind: str
) -> None:
    policy = TransferPolicy(stall_s=20, buffer_bytes=64 * 1024)
    provider = LocalProvider(tmp_path / "models", policy=policy)
    registry.push(MODEL)
    match kind:
        case "stalled body":
            registry.fail(WEIGHTS, faults.stall_after(1_000_000))
        case "silent blob":
            registry.fail(WEIGHTS, faults.silent)
        case "silent manifest":
            registry.manifest_faults.append(faults.silent)
        case "waiting":

            def later(exchange: Exchange) -> None:
                faults.status(503, Retry_After="60")(exchange)
                registry.stalls.release()

            registry.fail(WEIGHTS, later)
    arrived = asyncio.Event()

    async def consume() -> None:
        async for step in provider.pull(registry.name()):
            if step.completed_bytes == 1_000_000:
                arrived.set()

    task = asyncio.create_task(consume())
    await asyncio.to_thread(registry.stalls.acquire)
    if kind == "stalled body":
        await arrived.wait()
    before_s = asyncio.get_running_loop().time()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert asyncio.get_running_loop().time() - before_s < 0.2
    registry.blob_faults.clear()
    registry.requests.clear()
    await pull(provider, registry.name())
    if kind == "stalled body":
        (request,) = registry.asked(f"/blobs/{WEIGHTS}")
        assert request.start > 900_000
    assert is_installed(provider.store.root, installed_at(registry), MODEL)
    await provider.close()


async def test_the_rate_is_limited_over_all_transfers(
    provider: LocalProvider, registry: FaultyRegistry
) -> None:
    provider.limit.bytes_per_s = 5_000_000
    models = [big_model(1_000_000, seed) for seed in (1, 2)]
    for number, model in enumerate(models):
        registry.push(model, f"ns/model{number}:tag")
    loop = asyncio.get_running_loop()
    before_s = loop.time()
    await asyncio.gather(*(pull(provider, registry.name(f"ns/model{n}:tag")) for n in range(2)))
    assert loop.time() - before_s > 0.38


async def test_a_repair_fetches_only_what_is_bad(
    provider: LocalProvider, registry: FaultyRegistry
) -> None:
    registry.push(MODEL)
    await pull(provider, registry.name())
    path = provider.store.blob_path(WEIGHTS)
    path.write_bytes(b"x" + path.read_bytes()[1:])
    registry.requests.clear()
    steps = [step async for step in provider.repair(registry.name())]
    assert steps[-1].phase is PullPhase.SUCCESS
    asked = [request.path.rpartition("/")[2] for request in registry.requests]
    assert [part for part in asked if part.startswith("sha256:")] == [WEIGHTS]
    assert is_installed(provider.store.root, installed_at(registry), MODEL)


async def test_a_repair_removes_nothing_while_the_registry_does_not_have_the_model(
    provider: LocalProvider, registry: FaultyRegistry
) -> None:
    registry.push(MODEL)
    await pull(provider, registry.name())
    path = provider.store.blob_path(WEIGHTS)
    path.write_bytes(b"x" + path.read_bytes()[1:])
    registry.manifests.clear()
    with pytest.raises(ModelNotFound):
        [step async for step in provider.repair(registry.name())]
    assert path.read_bytes()[:1] == b"x"


async def test_what_has_arrived_of_a_cancelled_pull_can_be_discarded(
    provider: LocalProvider, registry: FaultyRegistry, tmp_path: Path
) -> None:
    registry.push(MODEL)
    registry.fail(WEIGHTS, faults.stall_after(100_000))
    assert isinstance(provider, DiscardSupport)
    task = asyncio.ensure_future(pull(provider, registry.name()))
    assert await asyncio.to_thread(registry.stalls.acquire, timeout=10)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert await provider.discard(registry.name("ns/other:tag")) == 0
    assert await provider.discard(registry.name()) > 0
    assert not any("blobs" in path or "part" in path for path in tree(tmp_path / "models"))
    assert await provider.discard(registry.name()) == 0
