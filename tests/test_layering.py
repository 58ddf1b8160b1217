"""The layers, checked without import-linter: who may import whom, and what from outside."""

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.terminal import ROOT

PACKAGE = ROOT / "ollm_tui"
EXPERTS = {"routing", "config", "providers", "catalogue"}
MAY_IMPORT: dict[str, set[str]] = {
    "core": set(),
    **{expert: {"core"} for expert in EXPERTS},
    "service": {"core"} | EXPERTS,
    "ui": {"core", "service"} | EXPERTS,
    "sandbox": {"core"},
    "cli": {"core", "service", "ui", "sandbox"} | EXPERTS,
}
ONLY_IN = {
    "textual": {"ui"},
    "rich": {"ui"},
    "humanize": {"ui"},
    "httpx": {"providers"},
    "yaml": {"config"},
    "pydantic": {"config"},
    "starlette": {"sandbox"},
    "uvicorn": {"sandbox"},
}


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: a relative import"
            module = node.module or ""
            yield from (f"{module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("layer", sorted(MAY_IMPORT))
def test_a_layer_imports_only_what_it_may(layer: str) -> None:
    for path in sorted((PACKAGE / layer).rglob("*.py")):
        for name in _imports(path):
            first, _, rest = name.partition(".")
            if first == "ollm_tui":
                target = rest.partition(".")[0]
                allowed = MAY_IMPORT[layer] | {layer, "__version__"}
                assert target in allowed, f"{path.relative_to(ROOT)} imports {name}"
            elif first in ONLY_IN:
                assert layer in ONLY_IN[first], f"{path.relative_to(ROOT)} imports {name}"


def test_every_folder_of_the_package_is_a_known_layer() -> None:
    folders = {path.name for path in PACKAGE.iterdir() if path.is_dir()} - {"__pycache__"}
    assert folders == set(MAY_IMPORT)


@pytest.mark.parametrize("path", sorted(PACKAGE.glob("**/__init__.py")))
def test_packages_hold_a_docstring_and_nothing_else(path: Path) -> None:
    body = ast.parse(path.read_text("utf-8")).body
    names = [
        node.targets[0].id
        for node in body[1:]
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    ]
    assert ast.get_docstring(ast.parse(path.read_text("utf-8")))
    assert len(body) == 1 or names == ["__version__"]


def _loaded_by(code: str) -> set[str]:
    script = f"import sys\n{code}\nprint(*sorted(m.partition('.')[0] for m in sys.modules))"
    run = subprocess.run(
        (sys.executable, "-c", script), capture_output=True, text=True, check=True, cwd=ROOT
    )
    return set(run.stdout.splitlines()[-1].split())


def test_the_service_and_the_provider_load_no_screen_and_no_http_client() -> None:
    loaded = _loaded_by("import ollm_tui.service.service, ollm_tui.providers.ollama")
    assert loaded.isdisjoint({"textual", "httpx", "pydantic", "yaml", "humanize", "sqlite3"})


_UNTIL_THE_FIRST_FRAME = """
import os, sys
from ollm_tui.cli.arguments import parse_arguments
from ollm_tui.cli.compose import opened_setup
from ollm_tui.cli.screen import make_app
from ollm_tui.ui.app import OllmApp

def tell(app):
    print(*sys.modules, file=sys.__stdout__, flush=True)
    os._exit(0)

OllmApp._first_frame_is_out = tell
options = parse_arguments(["--no-config"])
with opened_setup(options) as setup:
    make_app(setup, options).run(headless=True)
"""


def test_nothing_slow_is_loaded_before_the_first_frame(tmp_path: Path) -> None:
    run = subprocess.run(
        (sys.executable, "-c", _UNTIL_THE_FIRST_FRAME),
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env={**os.environ, "OLLM_HOME": str(tmp_path)},
    )
    loaded = set(run.stdout.split())
    assert "ollm_tui.ui.panes.installed" in loaded
    assert loaded.isdisjoint({"httpx", "pydantic", "yaml", "humanize", "sqlite3", "starlette"})
    assert not [name for name in loaded if name.startswith("ollm_tui.ui.screens.")]
    assert "ollm_tui.config.secret" not in loaded


@pytest.mark.parametrize("flag", ["--version", "--help"])
def test_version_and_help_load_neither_the_screen_nor_the_http_client(flag: str) -> None:
    loaded = _loaded_by(
        "import contextlib\nfrom ollm_tui.cli.main import main\n"
        f"with contextlib.suppress(SystemExit):\n    main(['{flag}'])"
    )
    assert loaded.isdisjoint({"textual", "httpx", "pydantic", "yaml", "rich"})
