"""What a line of names, words and conditions means while it is typed."""

import pytest

from ollm_tui.ui.typed import Typed, is_plain, is_search


@pytest.mark.parametrize(
    ("text", "typed", "names"),
    [
        ("", Typed((), (), ""), []),
        ("qwen3:14b", Typed(("qwen3:14b",), (), "qwen3:14b"), ["qwen3:14b"]),
        ("a b ", Typed(("a", "b"), (), ""), ["a", "b"]),
        ("a,b", Typed(("a,b",), (), "b"), ["a", "b"]),
        ("a, b", Typed(("a,", "b"), (), "b"), ["a", "b"]),
        (",a,,b,", Typed((",a,,b,",), (), ""), ["a", "b"]),
        ("cap:tools", Typed((), ("cap:tools",), ""), []),
        ("a size<10G,20G", Typed(("a",), ("size<10G,20G",), ""), ["a"]),
        ("size<10G qw", Typed(("qw",), ("size<10G",), "qw"), ["qw"]),
        (
            "hf.co/me/own:q4",
            Typed(("hf.co/me/own:q4",), (), "hf.co/me/own:q4"),
            ["hf.co/me/own:q4"],
        ),
    ],
)
def test_a_line_is_taken_apart(text: str, typed: Typed, names: list[str]) -> None:
    assert Typed.parse(text) == typed
    assert typed.names == names


@pytest.mark.parametrize("word", ["a:b", "a/b", "a.b", "a@b", "", "-"])
def test_a_name_is_nothing_to_look_for(word: str) -> None:
    assert not is_plain(word)
    assert not is_search(word, ["x"])


def test_a_word_that_begins_a_name_is_a_name() -> None:
    assert not is_search("QWEN", ["llama3", "qwen3:14b"])
    assert is_search("vision", ["llama3.2-vision:11b"])
    assert not is_search("vision", [])
