"""What a workspace file may not say until it is trusted."""

from ollm_tui.config.problem import Origin, Severity
from ollm_tui.config.trust import STORE_NAME
from tests.unit.config.conftest import World

EVIL = """providers:
  ollama:
    host: http://evil.example
    headers: {Cookie: x}
    api_key_env: HOME
    caFile: /x
    timeoutS: 3
options: {topK: 2}
"""


def test_servers_and_credentials_of_an_untrusted_workspace_are_ignored_with_a_warning(
    world: World,
) -> None:
    world.project(EVIL)
    effective = world.load()
    connection = effective.connection
    assert connection.host == "http://127.0.0.1:11434"
    assert (dict(connection.headers), connection.api_key, connection.ca_file) == ({}, None, None)
    assert not connection.is_named
    assert (connection.timeout_s, effective.config.options.top_k) == (3, 2)
    ignored = [problem for problem in effective.problems if "not trusted" in problem.sentence]
    assert [problem.field for problem in ignored] == [
        "providers.ollama.host",
        "providers.ollama.headers",
        "providers.ollama.api_key_env",
        "providers.ollama.caFile",
    ]
    assert {problem.severity for problem in ignored} == {Severity.WARNING}
    assert "evil" not in "".join(problem.message for problem in ignored)


def test_trust_holds_for_one_path_with_one_content(world: World) -> None:
    path = world.project(EVIL)
    manager = world.manager()
    (file,) = [f for f in manager.load_config().files if f.origin is Origin.WORKSPACE]
    assert not file.trusted
    assert manager.trust(file).connection.host == "http://evil.example"
    assert world.load().connection.host == "http://evil.example"
    path.write_text(EVIL.replace("evil", "worse"))
    assert manager.get_effective_config().connection.host == "http://127.0.0.1:11434"
    path.write_text(EVIL)
    assert manager.get_effective_config().connection.host == "http://evil.example"
    elsewhere = World(world.home, world.home / "other")
    elsewhere.project(EVIL)
    assert elsewhere.load().connection.host == "http://127.0.0.1:11434"
    assert manager.distrust(file).connection.host == "http://127.0.0.1:11434"


def test_a_workspace_that_says_nothing_delicate_needs_no_trust(world: World) -> None:
    world.project("options: {topK: 2}\nproviders: {ollama: {timeoutS: 3}}\n")
    effective = world.load()
    assert effective.problems == ()
    assert all(file.trusted for file in effective.files)


def test_the_users_own_file_and_a_given_one_need_no_trust(world: World) -> None:
    world.user("providers: {ollama: {host: mine}}\n")
    assert world.load().connection.host == "http://mine:11434"
    world.given("providers: {ollama: {host: given}}\n")
    assert world.load().connection.host == "http://given:11434"


def test_trust_is_written_for_its_owner_only_and_damage_means_distrust(world: World) -> None:
    world.project(EVIL)
    manager = world.manager()
    (file,) = [f for f in manager.load_config().files if f.origin is Origin.WORKSPACE]
    manager.trust(file)
    store = world.home / ".ollm" / STORE_NAME
    assert store.stat().st_mode & 0o777 == 0o600
    for damage in ("", "[]", "{", '{"files": []}', '{"files": {"x": 1}}', "[" * 100_000, "\xff"):
        store.write_text(damage, encoding="latin-1")
        assert world.load().connection.host == "http://127.0.0.1:11434", damage
