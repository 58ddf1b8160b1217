"""What people and servers write as one text: names, addresses, filters, patterns."""

from ollm_tui.core.error import ConfigError, FilterError, InvalidName, PatternSyntaxError
from ollm_tui.core.filter import Filter, is_condition
from ollm_tui.core.model import ModelCapabilities, ModelInfo, Problem
from ollm_tui.core.name import (
    ModelName,
    name_from_store_path,
    name_key,
    parse_name,
    parse_reference,
    same_model,
)
from ollm_tui.core.text import LINE_LIMIT, clean_block, clean_line, clean_pasted
from ollm_tui.providers.ollama_host import parse_host
from ollm_tui.routing.pattern import (
    check_pattern,
    literal_prefix,
    longest_literal,
    matches_pattern,
    point_at,
)
from tests.fuzz.invariants import assert_error, assert_lines, unsafe

_JOINERS = "\u200c\u200d\ufe0e\ufe0f"
_MODELS = (
    ModelInfo("llama3.1:8b", size_bytes=5 * 10**9, family="llama", context_window=131072),
    ModelInfo(
        "user/nomic-embed:v1.5",
        parameters_billions=0.1,
        quantization="F16",
        capabilities=ModelCapabilities(embedding=True),
        embedding_only=True,
    ),
    ModelInfo("x" * 300, loaded=True, remote=True),
)
_PROBLEMS = (Problem("bad name", "the server lists it without a name"),)


def _text(data: bytes) -> str:
    """Any text at all, lone surrogates too."""
    return data.decode("utf-8", "surrogateescape")


def text(data: bytes) -> None:
    """The sanitiser: nothing unsafe is left, no limit is passed, and twice is as once."""
    given = _text(data)
    line, block, pasted = clean_line(given), clean_block(given), clean_pasted(given)
    assert not unsafe(line), unsafe(line)
    assert not unsafe(block, "\n"), unsafe(block, "\n")
    assert not unsafe(pasted, "\n" + _JOINERS), unsafe(pasted, "\n" + _JOINERS)
    assert len(line) <= LINE_LIMIT
    assert clean_line(line) == line
    assert clean_block(block) == block
    for limit in (3, 20):
        assert len(clean_line(given, limit)) <= limit
        assert len(clean_block(given, limit)) <= limit


def name(data: bytes) -> None:
    """A model's name: refused, or one that survives every form of it and is a safe path."""
    given = _text(data)
    assert isinstance(name_key(given), str)
    assert same_model(given, given)
    name_from_store_path(given)
    for parse in (parse_name, parse_reference):
        try:
            found = parse(given)
        except InvalidName as error:
            assert_error(error)
        else:
            _assert_name(found)


def _assert_name(found: ModelName) -> None:
    assert parse_name(found.short).key == found.key
    assert parse_name(found.canonical).key == found.key
    assert_lines((found.short, found.canonical))
    parts = found.store_path.split("/")
    assert len(parts) == 4
    assert not {"", ".", ".."} & set(parts)
    again = name_from_store_path(found.store_path)
    assert again is not None
    assert again.canonical == found.canonical


def host(data: bytes) -> None:
    """A server's address: refused, or one that shows no password and can be read again."""
    try:
        found = parse_host(_text(data))
    except ConfigError as error:
        assert_error(error)
        return
    assert_lines((found.display,))
    assert 0 <= found.port <= 65535
    assert not unsafe(found.base_url), unsafe(found.base_url)
    again = parse_host(found.base_url)
    assert again.base_url == found.base_url


def filter_text(data: bytes) -> None:
    """A filter of a list: refused, or one that says of every model whether it is meant."""
    given = _text(data)
    for term in given.split():
        assert is_condition(term) in (True, False)
    try:
        found = Filter.parse(given)
    except FilterError as error:
        assert_error(error)
        return
    meant = [model for model in _MODELS if found.matches(model, {"llama3.1:8b"})]
    assert list(found.among(_MODELS, {"llama3.1:8b"})) == meant
    assert len(found.among_problems(_PROBLEMS)) <= len(_PROBLEMS)


def pattern(data: bytes) -> None:
    """A glob and, on the line after it, a name: what matches holds what the glob spells out."""
    given, _, name = _text(data).partition("\n")
    try:
        remarks = check_pattern(given)
    except PatternSyntaxError as error:
        _assert_pointed_at(given, error)
        return
    assert_lines(remarks)
    for candidate in (name, given, "llama3.1:8b"):
        if matches_pattern(candidate, given):
            assert candidate.startswith(literal_prefix(given))
            assert longest_literal(given) in candidate


def _assert_pointed_at(given: str, error: PatternSyntaxError) -> None:
    assert_error(error)
    assert 1 <= error.column <= len(given) + 1
    assert not unsafe(point_at(given, error.column), "\n")
