"""The light road to the first request, and the full one agree."""

import itertools
import subprocess
import sys

import pytest

from ollm_tui.config.connection import Connection
from ollm_tui.config.host import normalise_host
from ollm_tui.config.start import quick_start
from tests.unit.config.conftest import World

HOSTS = (None, "localhost", "http://10.0.0.1/", "https://x/base")


@pytest.mark.parametrize("provider", [None, "auto", "ollama", "local"])
def test_without_a_file_both_roads_lead_to_the_same_server(
    world: World, provider: str | None
) -> None:
    for flag, variable, ollama in itertools.product(HOSTS, HOSTS, (None, "0.0.0.0", "x:y")):
        world.flags = {"host": flag, "provider": provider}
        names = {"OLLM_HOST": variable, "OLLAMA_HOST": ollama}
        world.env = {name: value for name, value in names.items() if value}
        assert quick_start(world.inputs) == world.load().connection, (world.flags, world.env)


@pytest.mark.parametrize(
    ("flags", "env"),
    [
        ({"host": "ftp://x"}, {}),
        ({"host": "u:p@h"}, {}),
        ({"provider": "work"}, {}),
        ({}, {"OLLM_PROVIDER": "Ollama"}),
        ({}, {"OLLAMA_HOST": "a b"}),
    ],
)
def test_what_needs_a_closer_look_is_left_to_the_full_road(
    world: World, flags: dict[str, object], env: dict[str, str]
) -> None:
    world.flags |= flags
    world.env |= env
    assert quick_start(world.inputs) is None


def test_any_file_sends_to_the_full_road(world: World) -> None:
    assert isinstance(quick_start(world.inputs), Connection)
    path = world.project("")
    assert quick_start(world.inputs) is None
    world.no_config = True
    assert quick_start(world.inputs) is not None
    world.no_config = False
    path.unlink()
    path = world.user("")
    assert quick_start(world.inputs) is None
    path.unlink()
    world.config_file = world.home / "x.yaml"
    assert quick_start(world.inputs) is None


def test_the_light_road_loads_neither_yaml_nor_pydantic() -> None:
    code = (
        "import sys, pathlib\n"
        "from ollm_tui.config.inputs import Inputs\n"
        "from ollm_tui.config.start import quick_start\n"
        "assert quick_start(Inputs(cwd=pathlib.Path('/'), user_home=pathlib.Path('/nowhere')))\n"
        "print(sorted({'yaml', 'pydantic', 'httpx', 'json'} & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={
            "PYTHONPATH": ":".join(sys.path)
        },
    )  # fmt: skip
    assert done.stdout == "[]\n"


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("example.com", "http://example.com:11434"), ("1.2.3.4:5", "http://1.2.3.4:5"),
        (":1234", "http://127.0.0.1:1234"), ("0.0.0.0", "http://127.0.0.1:11434"),
        ("::1", "http://[::1]:11434"), ("[::1]:80", "http://[::1]:80"), ("::", "http://[::1]:11434"),
        ("http://x", "http://x"), ("https://x", "https://x"), ("https://x/path", "https://x/path"),
        ("x/path/", "http://x:11434/path"), ("'1.2.3.4'", "http://1.2.3.4:11434"),
        ("HTTP://x:80/", "http://x:80"), (" localhost:11434 ", "http://localhost:11434"),
        ("u:p@h:1", "http://u:p@h:1"),
    ],
)  # fmt: skip
def test_an_address_is_read_as_ollama_reads_it(text: str, url: str) -> None:
    assert normalise_host(text) == url


@pytest.mark.parametrize(
    "text", ["", "foo:bar", "x:70000", "x:", "x:0", "ftp://x", "a b", "[zz]", "x\x1b", "http://a?b"]
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"it is|must be"):
        normalise_host(text)


@pytest.mark.parametrize(
    ("text", "url"),
    [("foo:bar", "http://foo:11434"), ("x:70000", "http://x:11434"), ("http://x:z", "http://x")],
)
def test_ollamas_own_variable_is_read_leniently(text: str, url: str) -> None:
    assert normalise_host(text, lenient=True) == url
