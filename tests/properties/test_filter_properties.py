"""The filter language against a reading of it in plain steps, and against any text at all."""

import string

from hypothesis import given
from hypothesis import strategies as st

from ollm_tui.core.error import FilterError
from ollm_tui.core.filter import Filter
from ollm_tui.core.model import ModelCapabilities, ModelInfo

WORDS = {"tools": "tool_calling", "vision": "vision", "thinking": "thinking"}
UNITS = {"k": 10**3, "M": 10**6, "G": 10**9}
NAMES = ("llama3.1:8b", "Qwen2.5-Coder:7b", "user/deepseek-r1:1.5b", "phi4", "a]b^c\\d-e")

models = st.builds(
    ModelInfo,
    st.sampled_from(NAMES),
    size_bytes=st.integers(0, 10**11),
    family=st.sampled_from(["llama", "qwen", "codellama", "unknown"]),
    quantization=st.sampled_from([None, "Q4_K_M", "Q8_0", "F16"]),
    parameters_billions=st.none() | st.floats(0.05, 500),
    context_window=st.none() | st.sampled_from([0, 4_096, 8_000, 8_192, 32_768, 131_072]),
    capabilities=st.none()
    | st.builds(
        ModelCapabilities, tool_calling=st.booleans(), vision=st.booleans(), thinking=st.booleans()
    ),
    loaded=st.booleans(),
    remote=st.booleans(),
)
operators = st.sampled_from(["<", "<=", ">", ">="])
numbers = st.integers(0, 999)
terms = st.one_of(
    st.tuples(st.just("word"), st.text("lamqwen3.:r1bc-]^\\", min_size=1, max_size=4)),
    st.tuples(st.just("family"), st.sampled_from(["llama", "qw", "code", "ama"])),
    st.tuples(st.just("quant"), st.sampled_from(["q4", "Q8", "f16", "4"])),
    st.tuples(st.just("cap"), st.sampled_from(sorted(WORDS))),
    st.tuples(st.just("flag"), st.sampled_from(["loaded", "remote", "marked"])),
    st.tuples(st.just("ctx"), operators, numbers, st.sampled_from(["", "k"])),
    st.tuples(st.just("size"), operators, numbers, st.sampled_from(sorted(UNITS))),
    st.tuples(st.just("params"), operators, numbers),
)


def written(term: tuple[str, ...]) -> str:
    kind, *rest = term
    if kind in ("word", "flag"):
        return rest[0]
    if kind in ("ctx", "size", "params"):
        return kind + "".join(map(str, rest))
    return f"{kind}:{rest[0]}"


def holds(term: tuple[str, ...], model: ModelInfo, is_marked: bool) -> bool:
    """What a term means, step by step."""
    match term:
        case ("word", word):
            rest = iter(model.name.lower())
            return all(letter in rest for letter in word)
        case ("family", start):
            return model.family.startswith(start)
        case ("quant", start):
            return (model.quantization or "").lower().startswith(start.lower())
        case ("cap", word):
            return model.capabilities is not None and getattr(model.capabilities, WORDS[word])
        case ("flag", "marked"):
            return is_marked
        case ("flag", name):
            return bool(getattr(model, name))
        case ("ctx", operator, number, unit):
            kilo = 1024 if operator in ("<=", ">") else 1000
            return compared(model.context_window, operator, int(number) * (kilo if unit else 1))
        case ("size", operator, number, unit):
            return compared(
                None if model.remote else model.size_bytes, operator, int(number) * UNITS[unit]
            )
        case ("params", operator, number):
            billions = model.parameters_billions
            return compared(None if billions is None else round(billions, 1), operator, int(number))
    raise AssertionError(term)


def compared(value: float | None, operator: str, limit: float) -> bool:
    if value is None:
        return False
    if operator.startswith("<"):
        return value < limit or (operator == "<=" and value == limit)
    return value > limit or (operator == ">=" and value == limit)


def is_plain(term: tuple[str, ...]) -> bool:
    """Whether its text is what it was made as: a word may look like another kind of term."""
    return term[0] != "word" or not (term[1][0] in "-!" or ":" in term[1])


@given(st.lists(terms.filter(is_plain), max_size=4), models, st.booleans())
def test_all_terms_must_hold(
    wanted: list[tuple[str, ...]], model: ModelInfo, is_marked: bool
) -> None:
    found = Filter.parse(" ".join(map(written, wanted)))
    marked = {model.name} if is_marked else set()
    expected = all(holds(term, model, is_marked) for term in wanted)
    assert found.matches(model, marked) == expected
    assert list(found.among([model], marked)) == [model] * expected


@given(terms.filter(lambda term: term[0] != "word"), models, st.booleans(), st.sampled_from("-!"))
def test_a_sign_turns_a_term_round(
    term: tuple[str, ...], model: ModelInfo, is_marked: bool, sign: str
) -> None:
    found = Filter.parse(sign + written(term))
    assert found.matches(model, {model.name} if is_marked else ()) != holds(term, model, is_marked)


@given(st.text("lamqwen3.r1bc", min_size=1, max_size=4), models)
def test_a_word_turned_round_leaves_out_the_names_that_contain_it(
    word: str, model: ModelInfo
) -> None:
    assert Filter.parse(f"-{word}").matches(model) == (word not in model.name.lower())


pieces = st.sampled_from(
    [
        *("family", "cap", "ctx", "size", "params", "quant", "is", "name", "loaded", "fam"),
        *(":", ">=", "<", "=", "!=", "!", "-", ",", " ", "32k", "10G", "q4", "(", "[", "\\", "^"),
        *("٣", "½", "1e9", "nan", "inf", "-1", "1.5.2", "0", "\x00", "\ud800", "ß", "İ"),
    ]
)


@given(st.lists(pieces, max_size=8).map("".join) | st.text(max_size=60), models)
def test_any_text_is_a_filter_or_says_why_not(text: str, model: ModelInfo) -> None:
    try:
        found = Filter.parse(text)
    except FilterError as error:
        said = error
    else:
        assert found.matches(model) in (True, False)
        return
    assert said.message
    assert said.actions


@given(st.text(string.ascii_letters + string.digits, min_size=1, max_size=200))
def test_a_long_word_against_a_long_name_takes_no_time(word: str) -> None:
    assert not Filter.parse(word * 3 + "!").matches(ModelInfo(word * 100))
