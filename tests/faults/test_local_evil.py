"""Registries that mean harm: no file outside the store, no credential to others, no end."""

import json
import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ollm_tui.core.error import InvalidName, OllmError, ProviderGarbled, StoreError
from ollm_tui.core.name import parse_reference
from ollm_tui.providers.local.auth import Credentials
from ollm_tui.providers.local.inspection import inspect_store
from ollm_tui.providers.local.provider import LocalProvider
from ollm_tui.providers.local.store import Store
from tests.faulty_registry import endless, faulty_registry, redirect, status
from tests.provider.local.conftest import EAGER
from tests.provider.local.pulling import pull
from tests.store_builder import made_model, tree

MODEL = made_model()
HEX = "0123456789abcdef"
EVIL_PARTS = [
    "../",
    "/",
    "\\",
    "..",
    "\0",
    "\n",
    "%2e%2e%2f",
    "A",
    "g",
    "-",
    ":",
    " ",
    "\u0661",
    "~",
]
EVIL_SIZES = [-1, 2**63, 2**64, 1e308, "1", None, True, [], 10**40]


def evil_digest(chance: random.Random) -> str:
    """A digest that looks nearly right, or not at all."""
    letters = [chance.choice(HEX) for _ in range(chance.choice([0, 1, 63, 64, 64, 65, 128]))]
    for _ in range(chance.randint(0, 6)):
        letters.insert(chance.randint(0, len(letters)), chance.choice(EVIL_PARTS))
    name = chance.choice(["sha256:", "sha256:", "sha256-", "sha512:", "SHA256:", "", "../"])
    digest = name + "".join(letters)
    return digest + "!" if name == "sha256:" and len(letters) == 64 else digest


async def test_evil_digests_and_sizes_lead_to_no_request_and_no_file(
    tmp_path: Path, is_full: bool
) -> None:
    """200 of them with --faults=full."""
    chance = random.Random(11)
    provider = LocalProvider(tmp_path / "models", policy=EAGER)
    before = tree(tmp_path)
    with faulty_registry() as registry:
        for number in range(200 if is_full else 30):
            document = json.loads(MODEL.manifest)
            target = chance.choice([document["config"], *document["layers"]])
            if number % 4:
                target["digest"] = evil_digest(chance)
            else:
                target["size"] = chance.choice(EVIL_SIZES)
            registry.manifests["/v2/ns/model/manifests/tag"] = json.dumps(document).encode()
            with pytest.raises(ProviderGarbled):
                await pull(provider, registry.name())
        assert registry.asked("/blobs/") == []
    assert tree(tmp_path) == before
    await provider.close()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=100) | st.from_regex(r"(\.\./|[a-z:/.@-]){0,12}"))
def test_no_name_leads_out_of_the_store(tmp_path: Path, name: str) -> None:
    store = Store(tmp_path / "models")
    with pytest.raises(OllmError):
        store.find(name)
    with pytest.raises(StoreError):
        store.blob_path(name)
    try:
        path = tmp_path / "models/manifests" / parse_reference(name).store_path
    except InvalidName:
        return
    assert (tmp_path / "models/manifests").resolve() in path.resolve().parents


@pytest.mark.parametrize(
    "name",
    [
        "http://127.0.0.1:1/../../etc/passwd",
        "http://127.0.0.1:1/ns/m:../../x",
        "http://user@127.0.0.1:1/ns/m",
        "http://127.0.0.1:1/ns/m?x=1",
        "http://127.0.0.1:1/ns/m#x",
        "127.0.0.1:1/ns/m@sha256:" + "a" * 64,
        "http://a:b:c/ns/m:t",
        "http://127.0.0.1:99999/ns/m:t",
        "http://127.0.0.1:x/ns/m:t",
    ],
)
async def test_evil_names_are_refused_or_lead_nowhere(tmp_path: Path, name: str) -> None:
    provider = LocalProvider(tmp_path / "models", policy=EAGER)
    before = tree(tmp_path)
    with pytest.raises(OllmError) as caught:
        await pull(provider, name)
    assert caught.value.actions
    assert tree(tmp_path) == before
    await provider.close()


async def test_no_credential_leaves_for_another_host(tmp_path: Path) -> None:
    """However a registry asks: realm, redirect of a manifest, of a blob, of the token."""
    with faulty_registry() as registry, faulty_registry("127.0.0.2") as other:
        elsewhere = f"http://{other.netloc}/x"
        secret = {registry.netloc: Credentials("me", "secret")}
        for ask in (
            f'Bearer realm="{elsewhere}",service="s"',
            f'Bearer realm="http://{registry.netloc}@{other.netloc}/x"',
            f'Bearer realm="http://{registry.netloc}/token"',
            'Basic realm="r"',
        ):
            registry.routes = {
                "/token": redirect(elsewhere),
                "/v2/ns/model/manifests/": status(401, WWW_Authenticate=ask),
            }
            provider = LocalProvider(tmp_path / "models", policy=EAGER, credentials=secret)
            with pytest.raises(OllmError):
                await pull(provider, registry.name())
            registry.routes = {"/v2/": redirect(elsewhere)}
            with pytest.raises(OllmError):
                await pull(provider, registry.name())
            await provider.close()
        assert all("authorization" not in request.headers for request in other.requests)
        assert other.requests


@pytest.mark.parametrize("where", ["manifest", "blob", "token", "error"])
async def test_an_answer_without_end_is_not_read_without_end(tmp_path: Path, where: str) -> None:
    provider = LocalProvider(tmp_path / "models", policy=EAGER)
    with faulty_registry() as registry:
        registry.push(MODEL)
        match where:
            case "manifest":
                registry.manifest_faults.append(endless)
            case "blob":
                registry.routes["/v2/ns/model/blobs/"] = endless
            case "token":
                ask = f'Bearer realm="http://{registry.netloc}/token"'
                registry.manifest_faults.append(status(401, WWW_Authenticate=ask))
                registry.routes["/token"] = endless
            case "error":
                registry.manifest_faults.append(status(403, b"no " * 10**6))
        with pytest.raises(OllmError) as caught:
            await pull(provider, registry.name())
    assert len(str(caught.value)) < 1200
    assert (await provider.list_models()).models == ()
    await provider.close()


async def test_what_a_stranger_wrote_cannot_act_on_a_terminal(tmp_path: Path) -> None:
    evil = "\x1b]0;title\x07\x1b[2J\u202e"
    model = made_model(template=evil.encode(), license=evil.encode(), system=evil.encode())
    model.config |= {"model_family": evil, "model_type": evil, "requires": evil, "file_type": evil}
    provider = LocalProvider(tmp_path / "models", policy=EAGER)
    with faulty_registry() as registry:
        registry.push(model)
        steps = await pull(provider, registry.name())
        shown = repr(await provider.list_models()) + repr(await provider.show(registry.name()))
        shown += repr(steps) + repr(inspect_store(provider.store))
    assert not {"\x1b", "\\x1b", "\\x07", "\u202e", "\\u202e"} & {
        sign for sign in ("\x1b", "\\x1b", "\\x07", "\u202e", "\\u202e") if sign in shown
    }
    await provider.close()
