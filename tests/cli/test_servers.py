"""The servers of the configuration, and those that are typed."""

from pathlib import Path

import pytest

from ollm_tui.cli.arguments import parse_arguments
from ollm_tui.cli.servers import Servers
from ollm_tui.cli.setup import Setup
from ollm_tui.core.error import ConfigError

_FILE = """
provider: home
providers:
  home: {host: "http://127.0.0.1:11500"}
  work:
    host: https://user:secret@work.example:8443
    headers: {X-Team: seven}
    apiKeyEnv: WORK_KEY
    caFile: certs/work.pem
"""


@pytest.fixture
def setup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Setup:
    path = tmp_path / "given.yaml"
    path.write_text(_FILE)
    monkeypatch.setenv("WORK_KEY", "sesame")
    return Setup(parse_arguments(["--config", str(path)]))


def test_configured_servers_are_listed_without_their_secrets(setup: Setup) -> None:
    servers = {server.name: server for server in Servers(setup).servers()}
    assert {"home", "work", "local"} <= set(servers)
    work = servers["work"]
    assert "secret" not in work.address
    assert "work.example:8443" in work.address
    assert work.detail == "headers X-Team, key of WORK_KEY, certificates certs/work.pem"
    assert "sesame" not in repr(servers)


def test_a_server_is_asked_as_the_configuration_says(setup: Setup, tmp_path: Path) -> None:
    source = Servers(setup)
    connection = source._connection(next(s for s in source.servers() if s.name == "work"))
    assert connection.host == "https://user:secret@work.example:8443"
    assert connection.headers == {"X-Team": "seven"}
    assert connection.api_key == "sesame"
    assert connection.ca_file == str(tmp_path / "certs" / "work.pem")
    assert setup.connection().name == "home"


def test_a_typed_address_gets_nothing_that_belongs_to_others(setup: Setup) -> None:
    source = Servers(setup)
    server = source.typed("192.168.1.5")
    connection = source._connection(server)
    assert connection.host == "http://192.168.1.5:11434"
    assert not connection.headers
    assert connection.api_key is None
    assert source.memory_bytes(server) is None
    assert source.memory_bytes(source.typed("localhost")) is not None
    with pytest.raises(ConfigError, match="That is no address"):
        source.typed("no address at all")


async def test_a_service_is_made_without_asking_anyone(setup: Setup) -> None:
    source = Servers(setup)
    service = source.make_service(source.typed("127.0.0.1:9"))
    assert service.server.host.startswith("127.0.0.1:9") or "127.0.0.1:9" in service.server.host
    await service.close()


async def test_the_store_of_this_disk_can_be_chosen_without_a_file() -> None:
    source = Servers(Setup(parse_arguments([])))
    local = next(server for server in source.servers() if server.name == "local")
    service = source.make_service(local)
    assert service.server.provider == "local"
    await service.close()
