"""The filter language: what each condition means, and what a bad one says."""

import pytest

from ollm_tui.core.error import FilterError
from ollm_tui.core.filter import EXAMPLE, Begun, Filter, begun, is_condition
from ollm_tui.core.model import ModelCapabilities, ModelInfo, Problem

QWEN = ModelInfo(
    "qwen2.5-coder:7b",
    size_bytes=4_700_000_000,
    family="qwen",
    architecture="qwen2",
    parameters_billions=7.6156,
    quantization="Q4_K_M",
    context_window=32_768,
    capabilities=ModelCapabilities(tool_calling=True, streaming=True),
    loaded=True,
)
CLOUD = ModelInfo("gpt-oss:120b-cloud", family="gpt-oss", context_window=131_072, remote=True)
UNKNOWN = ModelInfo("mystery")
EMBED = ModelInfo("nomic-embed-text", family="embedding", embedding_only=True)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "coder",
        "QWEN 7B",
        "qcd",
        "qwen2.5-coder:7b",
        "family:qwen",
        "family:qw",
        "family=qwen",
        "family:llama,qwen",
        "fam:qwen",
        "arch:qwen2",
        "cap:tools",
        "cap:to",
        "cap:vision,tools",
        "CTX>=32k",
        "ctx>=32768",
        "ctx=32k",
        "ctx:32k",
        "ctx:>=32k",
        "ctx<0.04M",
        "size<10G",
        "<10G",
        ">1GB",
        "size<10GB",
        "size<=4700M",
        "size=4.7g",
        "size>4GiB",
        "size>0",
        "params<=8b",
        "params=7.6",
        "params>=7600m",
        "params<1t",
        "quant:q4",
        "quant=q4_k_m",
        "name:coder",
        "loaded",
        "is:loaded",
        "marked",
        "-remote",
        "!vision",
        "-cap:vision",
        "!!loaded",
        "family!=llama",
        "ctx!=8k",
        "qwen cap:tools ctx>=32k size<10G params<=8b quant:q4 loaded -remote",
    ],
)
def test_what_holds_for_a_model_finds_it(text: str) -> None:
    assert Filter.parse(text).matches(QWEN, {QWEN.name})


@pytest.mark.parametrize(
    "text",
    [
        "coder llama",
        "redoc",
        "family:coder",
        "family=qw",
        "cap:vision",
        "cap:tools cap:vision",
        "ctx>32768",
        "ctx<32k",
        "size<4G",
        "params>8b",
        "quant:q8",
        "remote",
        "-coder",
        "-loaded",
        "-marked",
        "family!=qwen",
        "is:base",
    ],
)
def test_what_does_not_hold_leaves_it_out(text: str) -> None:
    assert not Filter.parse(text).matches(QWEN, {QWEN.name})


@pytest.mark.parametrize(
    "text", ["ctx>0", "ctx<1M", "ctx=0", "params<1t", "cap:tools", "quant:q", "arch:q"]
)
def test_what_nobody_knows_meets_no_condition(text: str) -> None:
    assert not Filter.parse(text).matches(UNKNOWN)
    assert Filter.parse(f"-{text}").matches(UNKNOWN)


def test_a_kilo_is_a_thousand_but_what_is_shown_as_128k_is_found_by_it() -> None:
    assert Filter.parse("ctx>=128k").matches(CLOUD)
    assert Filter.parse("ctx=128k").matches(CLOUD)
    assert Filter.parse("ctx<=128k").matches(CLOUD)
    assert not Filter.parse("ctx>128k").matches(CLOUD)
    assert not Filter.parse("ctx<128k").matches(CLOUD)
    assert not Filter.parse("ctx=131k").matches(CLOUD)


def test_parameters_compare_as_they_are_shown() -> None:
    model = ModelInfo("m", parameters_billions=8.03)
    assert Filter.parse("params<=8b").matches(model)
    assert Filter.parse("params=8").matches(model)
    assert not Filter.parse("params>8b").matches(model)


def test_embedding_models_are_found_by_what_they_do() -> None:
    assert Filter.parse("cap:embed").matches(EMBED)
    assert Filter.parse("is:embedding").matches(EMBED)
    assert not Filter.parse("is:embedding").matches(QWEN)


def test_a_name_with_its_tag_is_no_field() -> None:
    assert Filter.parse("gpt-oss:120b").matches(CLOUD)
    assert not Filter.parse("llama3.1:8b").matches(CLOUD)


def test_it_says_what_it_depends_on() -> None:
    assert Filter.parse("is:loaded").asks_memory
    assert Filter.parse("-marked").asks_marks
    assert not Filter.parse("qwen").asks_memory


@pytest.mark.parametrize(
    ("text", "says", "valid"),
    [
        ("famly:llama", "There is no field “famly”; did you mean family?", "name, family"),
        ("foo>=3", "There is no field “foo”", "The fields are"),
        (">=32k", "There is no field “”", "The fields are"),
        ("ctx>=", "ctx needs a value", "ctx>=32k"),
        ("family:", "family needs a value", "family:llama"),
        ("family:,", "family needs a value", "family:llama"),
        ("ctx>=32q", "“32q” is no value of ctx", "k = 1000"),
        ("size<10", "“10” is no value of size", "k, M, G or T"),
        ("size<-3G", "“-3g” is no value of size", "size<10G"),
        ("params<=" + "9" * 400, "is no value of params", "M or B"),
        ("cap:tols", "There is no capability “tols”; did you mean tools?", "vision"),
        ("family>llama", "family is no number", "family:llama"),
        ("is:new", "A model cannot be “new”", "loaded, remote, marked"),
        ("-", "“-” needs a condition", "-remote"),
    ],
)
def test_a_bad_filter_says_what_is_wrong_and_what_is_valid(
    text: str, says: str, valid: str
) -> None:
    with pytest.raises(FilterError) as caught:
        Filter.parse(f"qwen {text}")
    assert says in caught.value.message
    assert valid in caught.value.actions[0]


def test_the_example_is_valid() -> None:
    assert Filter.parse(EXAMPLE).matches(QWEN) is False


@pytest.mark.parametrize(
    "term", ["cap:tools", "size<10G", "<10G", "-cap:vision", "params<=8b", "fam:llama"]
)
def test_a_condition_names_its_field(term: str) -> None:
    assert is_condition(term)


@pytest.mark.parametrize(
    "term", ["qwen3:8b", "hf.co/a/b:q4", "coder", "loaded", "", "a=b", ">=32k"]
)
def test_a_name_is_no_condition(term: str) -> None:
    assert not is_condition(term)


@pytest.mark.parametrize(
    ("text", "is_met"),
    [
        ("", True),
        ("qwen", True),
        ("name:coder", True),
        ("qwen2.5-coder:7b", True),
        ("llama", False),
        ("-coder", False),
        ("-llama", True),
        ("broken", True),
        ("is:broken,loaded", True),
        ("-broken", False),
        ("is!=broken", False),
        ("loaded", False),
        ("-loaded", True),
        ("size<10G", False),
        ("<10G", False),
        ("family:unknown", False),
        ("qwen broken ctx>1", False),
        ("qwen broken -remote", True),
    ],
)
def test_of_what_cannot_be_read_only_the_name_is_known(text: str, is_met: bool) -> None:
    problem = Problem("qwen2.5-coder:7b", "its manifest is missing")
    assert list(Filter.parse(text).among_problems([problem])) == [problem] * is_met


def test_no_model_is_broken() -> None:
    assert not Filter.parse("broken").matches(QWEN)
    assert Filter.parse("-broken").matches(QWEN)


@pytest.mark.parametrize(
    ("text", "half"),
    [
        ("siz", Begun("", "siz", "size<10G")),
        ("size", Begun("", "size", "size<10G")),
        ("coder -FAM", Begun("coder", "-FAM", "family:llama")),
        ("cap:tools cont", Begun("cap:tools", "cont", "ctx>=32k")),
        ("load", Begun("", "load", "loaded")),
        ("loaded", None),
        ("s", None),
        ("sizes", None),
        ("size<", None),
        ("siz ", None),
        ("", None),
    ],
)
def test_a_last_word_may_be_half_a_condition(text: str, half: Begun | None) -> None:
    assert begun(text) == half
