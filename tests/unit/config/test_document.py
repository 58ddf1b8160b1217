"""YAML to nodes: limits, traps, places, and what a refusal says."""

import pytest

from ollm_tui.config.document import CONFIG_LIMIT_BYTES, parse_document
from ollm_tui.config.node import find


def _problem(source: str | bytes) -> tuple[str, str]:
    document = parse_document(source, "f.yaml")
    assert document.root is None
    assert document.data is None
    problem = document.problems[0]
    return problem.message, str(problem.place)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3:8", "3:8"), ("12:30", "12:30"), ("017", "017"), ("0x1F", "0x1F"), ("1_000", "1_000"),
        ("2024-01-01", "2024-01-01"), ("1e3", 1000.0), ("1e-1", 0.1), ("-4", -4), (".5", 0.5),
        ("yes", True), ("Off", False), ("~", None), ("", None), ("null", None), ("'1'", "1"),
        ('"yes"', "yes"), ("!!str 12", "12"), ("y", "y"), ("1.2.3", "1.2.3"), ("+", "+"),
    ],
)  # fmt: skip
def test_a_scalar_means_what_it_looks_like(text: str, value: object) -> None:
    data = parse_document(f"key: {text}", "f.yaml").data
    assert data == {"key": value}
    assert isinstance(data, dict)
    assert type(data["key"]) is type(value)


def test_a_number_too_long_to_convert_is_still_no_crash() -> None:
    assert parse_document("a: " + "9" * 5000, "f").data == {"a": float("inf")}


def test_keys_are_always_text() -> None:
    document = parse_document("on: 1\n1: 2\n'a b': 3\n", "f.yaml")
    assert document.data == {"on": 1, "1": 2, "a b": 3}


def test_every_value_knows_its_line_and_column() -> None:
    document = parse_document("a:\n  b: [x, 'é', {c: 1}]\n", "f.yaml")
    assert str(document.place(("a", "b"))) == "f.yaml:2:6"
    assert str(document.place(("a", "b", 1))) == "f.yaml:2:10"
    assert str(document.place(("a", "b", 2, "c"))) == "f.yaml:2:19"
    assert str(document.place(("a", "nothing", "here"))) == "f.yaml:2:3"
    assert document.root is not None
    node = find(document.root, ("a", "b"))
    assert node is not None
    assert (node.key, node.key_line, node.key_column) == ("b", 2, 3)


def test_a_byte_order_mark_moves_nothing() -> None:
    document = parse_document(b"\xef\xbb\xbfa: 1", "f.yaml")
    assert document.data == {"a": 1}
    assert str(document.place(("a",))) == "f.yaml:1:4"


@pytest.mark.parametrize("source", ["", "# only a comment\n", b"\xef\xbb\xbf", "---\n...\n"])
def test_an_empty_file_is_no_mistake(source: str | bytes) -> None:
    document = parse_document(source, "f.yaml")
    assert document.data is None
    assert document.problems == ()


@pytest.mark.parametrize(
    ("source", "place", "words"),
    [
        ("a:\n\tb: 1", "2:1", "Indent with spaces"),
        ("a:b\nc: 1", "2:2", "Put a space after the colon of `a:`"),
        ("a: [1, 2\nb: 3", "2:2", "Close the bracket opened at line 1, column 4 with `]`"),
        ("a: {b: 1", "1:9", "Close the bracket opened at line 1, column 4 with `}`"),
        ("h:\n  x: [\n", "2:7", "Close the bracket opened at line 2, column 6 with `]`"),
        ("a: 'x", "1:4", "Close the quote opened here"),
        ('a: "\\ud800"', "1:4", "Use single quotes"),
        ("a: b: c", "1:5", "Quote the value"),
        ("key value\nx: 1", "2:2", "Write `key value` as `key: value`"),
        ("a: @x", "1:4", "Quote the value: it starts with `@`"),
        ("- a\nb: 1", "2:1", "Check the indentation"),
        ("a: b\n---\nc: d", "2:1", "A second document starts here"),
        ("a: 1\nb: 2\na: 3", "3:1", "'a' is there twice. It is first on line 1, again on line 3"),
        ("x: {a: 1, a: 2}", "1:11", "'a' is there twice"),
        ("a: *zz", "1:4", "Nothing is named &zz before this"),
        ("&a [*a]", "1:5", "*a stands inside the value that it names"),
        ("a: &a {b: 1}\nc: {<<: *a}", "2:5", "Merge keys (<<) are not read"),
        ("? [a]\n: b", "1:3", "A key must be a word"),
        ("a: &a x\n*a : b", "2:1", "A key cannot be an alias"),
        ("a: !!python/name:os.system x", "1:4", "is not read. See"),
        ("a: !!binary aGk=", "1:4", "is not read. See"),
        ("a: \x00", "1:4", "U+0000 at offset 3"),
        ("b: 1\na: \x1b[0m", "2:4", "U+001B at offset 8"),
        (b"a: \xff", "1:4", "Byte 0xff at offset 3"),
        ("[" * 1200, "1:51", "More than 50 levels of nesting"),
        ("a: " + "{a: " * 60, "1:200", "More than 50 levels of nesting"),
    ],
)  # fmt: skip
def test_a_refusal_names_the_place_and_the_likely_fix(
    source: str | bytes, place: str, words: str
) -> None:
    message, where = _problem(source)
    assert words in message
    assert where == f"f.yaml:{place}"
    assert where in message


def test_all_duplicate_keys_are_found_in_one_pass() -> None:
    document = parse_document("a: 1\na: 2\nb: 1\nb: 3", "f.yaml")
    assert [problem.place.line for problem in document.problems] == [2, 4]


def test_an_alias_is_another_way_to_the_same_value() -> None:
    document = parse_document("x: &a {y: 1}\nz: *a\nl: [*a]\n", "f.yaml")
    assert document.data == {"x": {"y": 1}, "z": {"y": 1}, "l": [{"y": 1}]}
    assert document.root is not None
    node = find(document.root, ("z",))
    assert node is not None
    assert (node.key, node.key_line) == ("z", 2)


def test_an_alias_bomb_is_refused_while_it_is_small() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 10)]
    message, where = _problem("\n".join(lines))
    assert "values through aliases" in message
    assert where.startswith("f.yaml:5:")


def test_a_hundred_aliases_are_enough() -> None:
    aliases = "&a 1, " + ", ".join(["*a"] * 100)
    assert parse_document(f"[{aliases}]", "f").problems == ()
    assert "More than 100 aliases" in _problem(f"[{aliases}, *a]")[0]


def test_aliases_cannot_add_up_to_more_depth_than_is_allowed() -> None:
    nested = "a0: &a0 " + "[" * 40 + "]" * 40
    assert parse_document(f"{nested}\na1: [*a0]", "f").problems == ()
    deeper = f"{nested}\na1: " + "[" * 20 + "*a0" + "]" * 20
    assert "levels of nesting" in _problem(deeper)[0]


def test_fifty_levels_are_allowed() -> None:
    assert parse_document("[" * 50 + "]" * 50, "f").problems == ()
    assert "levels" in _problem("[" * 51 + "]" * 51)[0]


def test_the_size_is_limited_and_the_limit_is_the_callers() -> None:
    assert "The file is too large" in _problem(b"#" * (CONFIG_LIMIT_BYTES + 1))[0]
    assert parse_document(b"#" * 100, "f", limit_bytes=99).problems
    assert not parse_document(b"#" * 100, "f", limit_bytes=100).problems
    assert parse_document("[1, 2, 3]", "f", limit_nodes=3).problems
    assert not parse_document("[1, 2, 3]", "f", limit_nodes=4).problems


def test_a_snippet_shows_the_lines_with_a_caret() -> None:
    (problem,) = parse_document("first: 1\na: 'x\n", "f.yaml").problems
    assert problem.snippet == ("1 | first: 1", "2 | a: 'x", "  |    ^", "3 |")


def test_a_snippet_of_a_very_long_line_stays_short_and_points_right() -> None:
    text = "a: [" + "x, " * 5000 + "@"
    (problem,) = parse_document(text, "f.yaml").problems
    line, caret = problem.snippet
    assert len(line) < 120
    assert line[caret.index("^")] == "@"


def test_a_snippet_shows_no_control_characters() -> None:
    (problem,) = parse_document("# \u202egnp\u200b\na: \x1b]0;x\x07", "f.yaml").problems
    shown = "".join(problem.snippet) + problem.message
    assert not set(shown) & set("\x1b\x07\u202e\u200b")
