"""Which keys hold when configuration asks for others, and what is said of those that cannot."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.binding import Binding, BindingsMap

from ollm_tui.ui import keymap
from ollm_tui.ui.possible import REASONS
from ollm_tui.ui.rebinding import key_name, rebind


def keys_of(wanted: dict[str, str]) -> dict[str, str]:
    return {key.id: key.keys for key in rebind(wanted).keys}


def test_the_keymap_itself_has_no_two_bindings_for_one_key() -> None:
    everything = {key.id: key.keys for key in keymap.KEYS if key.keys}
    rebound = rebind(everything)
    assert rebound.problems == ()
    assert rebound.keys == keymap.KEYS


def test_binding_ids_are_unique_and_every_reason_belongs_to_one() -> None:
    ids = [key.id for key in keymap.KEYS]
    assert len(set(ids)) == len(ids)
    assert set(REASONS) <= set(ids)


def test_a_binding_gets_the_keys_it_asks_for() -> None:
    assert keys_of({"app.pull": "f5, ctrl+n"})["app.pull"] == "f5,ctrl+n"
    assert keys_of({"app.filter": "?", "app.help": "/"}) == {
        **keys_of({}),
        "app.filter": "question_mark",
        "app.help": "slash",
    }


def test_a_key_asked_for_is_taken_from_whom_it_was_and_that_is_told() -> None:
    rebound = rebind({"app.pull": "d"})
    assert {key.id: key.keys for key in rebound.keys}["installed.delete"] == ""
    assert {problem.id for problem in rebound.problems} == {"app.pull"}
    sentences = [problem.sentence for problem in rebound.problems]
    assert "d was the only key of installed.delete" in sentences
    assert "d was the only key of router.difference" in sentences


def test_a_binding_that_keeps_another_key_is_no_problem() -> None:
    rebound = rebind({"app.pull": "j"})
    assert {key.id: key.keys for key in rebound.keys}["list.down"] == "down"
    assert rebound.problems == ()


def test_panes_do_not_stand_in_each_others_way() -> None:
    rebound = rebind({"installed.copy": "x"})
    assert rebound.problems == ()
    assert {key.id: key.keys for key in rebound.keys}["downloads.cancel"] == "x"


def test_of_two_that_ask_for_one_key_the_first_gets_it() -> None:
    rebound = rebind({"installed.load": "f5", "app.pull": "f5"})
    found = {key.id: key.keys for key in rebound.keys}
    assert (found["app.pull"], found["installed.load"]) == ("f5", "l")
    (problem,) = rebound.problems
    assert problem.id == "installed.load"
    assert problem.sentence == "f5 is asked for twice"
    assert problem.detail == "app.pull has it, which acts everywhere"


@pytest.mark.parametrize("text", ["", "f99", "nope", "ctrl+", "hyper+x", "ctrl+nope", "ab"])
def test_what_is_no_key_is_told_and_changes_nothing(text: str) -> None:
    rebound = rebind({"app.pull": text})
    assert rebound.keys == keymap.KEYS
    assert rebound.problems[0].sentence == f"“{text}” is no key"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("r", "r"),
        ("R", "R"),
        ("/", "slash"),
        ("-", "minus"),
        ("+", "plus"),
        ("ctrl++", None),
        ("[", "left_square_bracket"),
        ("left_square_bracket", "left_square_bracket"),
        ("slash", "slash"),
        ("PageUp", "pageup"),
        ("Ctrl+R", "ctrl+R"),
        ("shift+f5", "shift+f5"),
        ("é", "é"),
    ],
)
def test_keys_are_named_as_textual_names_them(text: str, name: str | None) -> None:
    assert key_name(text) == name


@given(st.dictionaries(st.sampled_from([key.id for key in keymap.KEYS]), st.text(max_size=8)))
def test_whatever_is_asked_for_no_key_has_two_meanings_in_one_place(wanted: dict[str, str]) -> None:
    rebound = rebind(wanted)
    for place in (keymap.INSTALLED, keymap.DOWNLOADS, keymap.INSPECTOR, keymap.ROUTER):
        reach = (place, keymap.LISTS, keymap.PANES, keymap.EVERYWHERE)
        names = [
            name
            for key in rebound.keys
            if key.where in reach
            for name in key.keys.split(",")
            if name
        ]
        assert len(names) == len(set(names))


def test_a_widgets_bindings_follow_and_those_of_others_stay() -> None:
    there = BindingsMap([Binding("p", "pull", id="app.pull"), Binding("ctrl+c", "copy")])
    for wanted, key in (({"app.pull": "f5"}, "f5"), ({}, "p")):
        keymap.put(there, rebind(wanted).keys, keymap.EVERYWHERE)
        assert [binding.action for binding in there.key_to_bindings[key]] == ["pull"]
        assert there.key_to_bindings["ctrl+c"][0].action == "copy"
    assert not there.key_to_bindings["f5"]
