"""The generated documentation is whole, true, and harmless."""

from collections.abc import Iterator

from ollm_tui.config.node import Path
from ollm_tui.config.problem import Origin
from ollm_tui.config.reference import doc_at, example_yaml, table_markdown
from ollm_tui.config.shape import Kind, Shape, settings_shape
from tests.unit.config.conftest import World


def _leaves(shape: Shape, path: Path = ()) -> Iterator[tuple[Path, Shape]]:
    for key, below in shape.keys.items():
        if below.kind is Kind.SECTION:
            yield from _leaves(below, (*path, key))
        elif below.item is not None and below.item.kind is Kind.SECTION:
            yield from _leaves(below.item, (*path, key))
        else:
            yield (*path, key), below


def test_every_leaf_has_a_rule_a_row_and_a_line_in_the_example() -> None:
    table, example = table_markdown(), example_yaml()
    for path, shape in _leaves(settings_shape()):
        if shape.kind is Kind.LEAF:
            assert shape.rule is not None, path
        assert f"{path[-1]}`" in table or f"{path[-1]}." in table, path
        assert f"{path[-1]}:" in example, path


def test_the_example_changes_nothing(world: World) -> None:
    world.user(example_yaml())
    effective = world.load()
    assert effective.problems == ()
    assert {item.origin for item in effective.settings.values()} == {Origin.DEFAULT}


def test_every_line_of_the_example_works_once_it_is_switched_on(world: World) -> None:
    world.user(example_yaml(live=True))
    effective = world.load()
    assert effective.problems == ()
    by_default = {k for k, item in effective.settings.items() if item.origin is Origin.DEFAULT}
    assert {path[:2] for path in by_default} == {("providers", "ollama")}


def test_deleting_one_mark_sets_one_key(world: World) -> None:
    text = example_yaml()
    assert text.count("  #topP: 0.9") == 1
    world.user(text.replace("  #topP: 0.9", "  topP: 0.9"))
    effective = world.load()
    set_by_user = [k for k, item in effective.settings.items() if item.origin is Origin.USER]
    assert set_by_user == [("options", "topP")]


def test_no_line_of_the_example_is_too_long() -> None:
    assert max(map(len, example_yaml().splitlines())) <= 100


def test_every_setting_can_be_looked_up() -> None:
    assert doc_at(("options", "temperature")) == "Randomness, 0.0 to 2.0."
    assert doc_at(("models", "llama*", "topK")) == "How many candidates to draw from."
    assert doc_at(("ui", "keys", "app.pull")).startswith("Binding id to the key")
    assert doc_at(("providers", "x", "options", "a", "b")).startswith("Passed on")
    assert doc_at(("nope", "x")) == ""
