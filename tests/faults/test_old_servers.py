"""Servers that say less than today's: they work, and what is assumed is said. Row 32."""

from collections.abc import Callable

import pytest

from ollm_tui.sandbox.profile import PROFILES
from ollm_tui.sandbox.server import SandboxServer
from ollm_tui.sandbox.timing import INSTANT
from tests.cli.conftest import Cli, cli
from tests.faults.conftest import Fault

__all__ = ["cli"]


def _no_ps(server: SandboxServer) -> None:
    server.faults.set("/api/ps", "http404")


def _no_version(server: SandboxServer) -> None:
    server.faults.set("/api/version", "http404")


def _no_show(server: SandboxServer) -> None:
    server.faults.set("/api/show", "http404")


def _nothing_more(server: SandboxServer) -> None:
    for profile in (_no_ps, _no_version, _no_show):
        profile(server)


def _as_it_was(server: SandboxServer) -> None:
    pass


@pytest.mark.parametrize("age", PROFILES)
@pytest.mark.parametrize("profile", [_as_it_was, _no_ps, _no_version, _no_show, _nothing_more])
def test_an_old_server_lists_and_routes_with_what_is_assumed_told(
    fault: Fault, cli: Cli, age: str, profile: Callable[[SandboxServer], None]
) -> None:
    with SandboxServer(timing=INSTANT, version=age) as server:
        profile(server)
        listed = cli("list", "--json", "--host", server.host)
        assert listed.status == 0, listed.err
        assert len(listed.json["models"]) >= 25
        assert all(model["context_window"] for model in listed.json["models"])
        routed = cli("route", "general", "--json", "--host", server.host)
        assert routed.status == 0, routed.err
        assert routed.json["model"]
        fault.ran()
