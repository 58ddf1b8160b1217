"""Which files can be saved to, and what a planned change says of itself."""

import pytest

from ollm_tui.config.change import Change
from ollm_tui.config.problem import Origin
from ollm_tui.config.save import Plan
from ollm_tui.core.error import ConfigError
from tests.unit.config.conftest import World

TOP_K = ("options", "topK")


def _targets(world: World) -> list[tuple[str, str, str, str]]:
    return [
        (target.file.origin.value, target.shown_path, target.refusal, target.note)
        for target in world.manager().targets()
    ]


def _plan(world: World, path: tuple[str, ...], value: object, origin: Origin = Origin.USER) -> Plan:
    return world.manager().plan(origin, [Change(path, value)])


def test_the_users_file_and_the_workspaces_can_be_saved_to_there_or_not(world: World) -> None:
    new = "It is not there yet and will be made."
    assert _targets(world) == [
        ("user", "~/.ollm/config.yaml", "", new),
        ("workspace", "~/project/.ollm/config.yaml", "", new),
    ]
    world.user("")
    world.project("providers: {ollama: {host: h}}")
    user, workspace = _targets(world)
    assert user == ("user", "~/.ollm/config.yaml", "", "")
    assert "not trusted" in workspace[3]


def test_the_home_folder_is_no_workspace(world: World) -> None:
    world.workspace = world.home
    _, workspace = _targets(world)
    assert workspace[2] == "The home folder is no workspace"
    world.workspace = world.home / "project"
    world.env["OLLM_HOME"] = str(world.workspace / ".ollm")
    _, workspace = _targets(world)
    assert workspace[2] == "It is the user's own file"


def test_flags_that_replace_the_files_say_so(world: World) -> None:
    path = world.given("options: {}")
    given, *others = _targets(world)
    assert given == ("file", f"~/{path.name}", "", "")
    assert [refusal for _, _, refusal, _ in others] == ["--config replaces this file"] * 2
    with pytest.raises(ConfigError) as refused:
        _plan(world, TOP_K, 1, Origin.USER)
    assert refused.value.cause == "--config replaces this file"
    world.config_file, world.no_config = None, True
    assert all("--no-config" in refusal for _, _, refusal, _ in _targets(world))


def test_a_stronger_source_is_named_before_anything_is_written(world: World) -> None:
    world.project("options: {topK: 9}\n")
    world.flags["temperature"] = "0.5"
    assert _plan(world, TOP_K, 1).notes == (
        "options.topK stays 9, from ~/project/.ollm/config.yaml:1:17, which wins over this.",
    )
    assert _plan(world, ("options", "temperature"), 1).notes == (
        "options.temperature stays 0.5, from --temperature, which wins over this.",
    )
    assert _plan(world, TOP_K, 1, Origin.WORKSPACE).notes == ()


def test_what_holds_once_a_key_is_gone_is_named(world: World) -> None:
    world.user("options: {topK: 1}\nmodel: {routing: {enabled: false}}\n")
    world.project("options: {topK: 9}\n")
    assert _plan(world, TOP_K, None, Origin.WORKSPACE).notes == (
        "options.topK is then 1, from ~/.ollm/config.yaml:1:17.",
    )
    assert _plan(world, ("model", "routing", "enabled"), None).notes == (
        "model.routing.enabled is then true, the default.",
    )
    assert _plan(world, ("model", "default"), None).notes == ("model.default is then unset.",)


def test_what_a_built_in_profile_has_of_its_own_is_not_called_unset(world: World) -> None:
    world.user("model: {routing: {profiles: {Code: {description: x}, mine: {description: y}}}}")
    profiles = ("model", "routing", "profiles")
    for name, below in (("Code", "as built in"), ("mine", "unset")):
        (note,) = _plan(world, (*profiles, name, "description"), None).notes
        assert note == f"model.routing.profiles.{name}.description is then {below}."


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("options", "temperature"), 3, "Temperature must be between 0.0 and 2.0"),
        (("model", "routing", "defaultProfile"), "nope", "Unknown routing profile"),
        (("provider",), "wrok", "Unknown provider"),
        (("models", "x:*"), {"topK": -1}, "Top K must be 0 or a positive number"),
        (("model", "routing", "overrides"), {"code": "a b"}, "Invalid model name format"),
    ],
)
def test_no_change_brings_an_error_not_even_one_that_only_the_whole_shows(
    world: World, path: tuple[str, ...], value: object, message: str
) -> None:
    world.user("options: {topP: 7}\n")  # an old error is no reason against another change
    assert _plan(world, TOP_K, 1).notes == ()
    with pytest.raises(ConfigError, match=message):
        _plan(world, path, value)


def test_a_new_warning_is_told(world: World) -> None:
    world.user("modle: x\n")
    (note,) = _plan(world, ("model", "routing", "overrides", "cdoe"), "x:1").notes
    assert "Unknown routing profile" in note
    assert "Did you mean code?" in note


def test_a_key_is_changed_and_removed_as_the_file_spells_it(world: World) -> None:
    path = world.user("options: {max_tokens: 4, top_p: 0.5}  # mine\n")
    manager = world.manager()
    changes = [Change(("options", "maxTokens"), 5), Change(("options", "topP"), None)]
    assert manager.apply(manager.plan(Origin.USER, changes)).config.options.max_tokens == 5
    assert path.read_text() == "options: {max_tokens: 5}  # mine\n"


def test_a_profile_and_its_use_can_be_saved_together(world: World) -> None:
    changes = [
        Change(("model", "routing", "profiles", "mine"), {"minContextWindow": 1}),
        Change(("model", "routing", "defaultProfile"), "mine"),
    ]
    manager = world.manager()
    plan = manager.plan(Origin.USER, changes)
    assert plan.notes == ()
    assert manager.apply(plan).config.model.routing.default_profile == "mine"


def test_servers_in_a_workspace_that_is_not_trusted_are_ignored_and_that_is_told(
    world: World,
) -> None:
    world.project("providers: {ollama: {host: h}}\n")
    path = ("providers", "ollama", "caFile")
    notes = _plan(world, path, "x.pem", Origin.WORKSPACE).notes
    assert any("caFile is ignored: this workspace is not trusted" in note for note in notes)
    new = ("providers", "work", "host")
    world.project("")
    manager = world.manager()
    file = next(f for f in manager.load_config().files if f.origin is Origin.WORKSPACE)
    manager.trust(file)
    assert manager.plan(Origin.WORKSPACE, [Change(new, "h")]).notes == ()


def test_a_patch_shows_that_a_secret_changes_but_not_to_what(world: World) -> None:
    world.user("providers:\n  ollama:\n    headers:\n      X-Key: s3cret\n      X-Id: 0ther\n")
    patch = _plan(world, ("providers", "ollama", "headers", "X-Key"), "n3w").patch
    assert [line for line in patch.split("\n")[2:] if line[0] in "-+"] == [
        "-      •••",
        "+      •••",
    ]
    assert not {"s3cret", "n3w", "0ther"} & set(patch.split())


def test_a_patch_counts_lines_as_others_do(world: World) -> None:
    assert _plan(world, TOP_K, 1).patch.split("\n")[2:] == [
        "@@ -0,0 +1,2 @@",
        "+options:",
        "+  topK: 1",
    ]
    world.user("".join(f"# {number}\n" for number in range(9)) + "options: {topK: 1}\n# end\n")
    assert _plan(world, TOP_K, 2).patch.split("\n")[2:] == [
        "@@ -7,5 +7,5 @@",
        " # 6",
        " # 7",
        " # 8",
        "-options: {topK: 1}",
        "+options: {topK: 2}",
        " # end",
    ]
