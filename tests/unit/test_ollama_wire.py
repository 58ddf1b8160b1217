"""Ollama's JSON turned into models. All answers here are constructed after reference/ollama.md."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ollm_tui.core.model import ModelCapabilities, ModelInfo, ModelList
from ollm_tui.providers.ollama_wire import (
    parse_parameter_size,
    parse_parameters,
    parse_ps,
    parse_show,
    parse_tags,
)

DIGEST = "a" * 64


def _tags(*entries: object) -> ModelList:
    listed = parse_tags({"models": list(entries)})
    assert listed is not None
    return listed


def _entry(**fields: object) -> ModelInfo:
    return _tags({"name": "m:t", **fields}).models[0]


def test_a_server_of_today_tells_all_in_the_list() -> None:
    entry = {
        "name": "llama3.1:8b",
        "model": "llama3.1:8b",
        "modified_at": "2026-01-31T10:00:00.123456789+02:00",
        "size": 4920753328,
        "digest": DIGEST,
        "details": {
            "parent_model": "",
            "format": "gguf",
            "family": "llama",
            "families": None,
            "parameter_size": "8.0B",
            "quantization_level": "Q4_K_M",
            "context_length": 131072,
            "embedding_length": 4096,
        },
        "capabilities": ["tools", "completion"],
    }
    assert _tags(entry).models == (
        ModelInfo(
            name="llama3.1:8b",
            size_bytes=4920753328,
            digest=DIGEST,
            modified_at=datetime(2026, 1, 31, 8, 0, 0, 123456, tzinfo=UTC),
            architecture="llama",
            parameters_billions=8.0,
            quantization="Q4_K_M",
            context_window=131072,
            capabilities=ModelCapabilities(tool_calling=True, streaming=True),
        ),
    )
    sources = _tags(entry).models[0].sources
    assert set(sources.values()) == {"/api/tags"}
    assert {"context_window", "capabilities", "digest", "size_bytes"} <= set(sources)
    assert "family" not in sources


def test_an_old_server_leaves_unknown_what_it_does_not_say() -> None:
    model = _entry(size=7, details={"family": "llama", "parameter_size": "", "families": None})
    assert model == ModelInfo(name="m:t", size_bytes=7, architecture="llama")
    assert model.capabilities is None
    assert model.family == "unknown"


def test_a_server_that_is_not_ollama_itself_is_understood_as_far_as_it_goes() -> None:
    """What llama.cpp answers: empty texts where dates and sizes should be."""
    listed = _tags(
        {
            "name": "gemma-3-1b.gguf",
            "modified_at": "",
            "size": "",
            "digest": "",
            "capabilities": ["completion"],
            "details": {"family": "", "families": [""], "parameter_size": ""},
        },
        {"name": "tiny:1b", "modifiedAt": "2026", "details": {"parameterSize": "1B"}},
    )
    assert [model.name for model in listed.models] == ["gemma-3-1b.gguf", "tiny:1b"]
    assert listed.models[0].size_bytes == 0
    assert listed.models[0].modified_at is None
    assert listed.models[1].parameters_billions is None


def test_an_empty_list_is_a_list_and_anything_else_is_not() -> None:
    assert _tags() == ModelList()
    assert parse_tags({"models": None}) is None
    assert parse_tags({}) is None
    assert parse_tags({"models": {"name": "m"}}) is None


def test_the_second_name_field_stands_in_for_the_first() -> None:
    assert _tags({"model": "m:t"}).models[0].name == "m:t"


@pytest.mark.parametrize(
    ("entry", "subject", "reason"),
    [
        (None, "entry 2", "without a name"),
        ("llama3", "entry 2", "without a name"),
        ({}, "entry 2", "without a name"),
        ({"name": ""}, "entry 2", "without a name"),
        ({"name": " "}, "entry 2", "without a name"),
        ({"name": 7, "model": None}, "entry 2", "without a name"),
        ({"name": "a b"}, "a b", "the model 'a b' may hold"),
        ({"name": "x\x1b[2J"}, "x�[2J", "the model"),
        ({"name": "../../etc"}, "../../etc", "the host '..'"),
        ({"name": "ok:latest"}, "ok:latest", "twice"),
    ],
)
def test_an_entry_without_a_usable_name_is_a_problem_and_the_rest_is_shown(
    entry: object, subject: str, reason: str
) -> None:
    listed = _tags({"name": "ok:latest"}, entry, {"name": "fine:latest"})
    assert [model.name for model in listed.models] == ["ok:latest", "fine:latest"]
    assert [problem.subject for problem in listed.problems] == [subject]
    assert reason in listed.problems[0].reason


def test_capabilities_are_a_set_with_unknown_members() -> None:
    model = _entry(capabilities=["vision", "telepathy", None, ["x"], "thinking", "completion"])
    assert model.capabilities == ModelCapabilities(streaming=True, vision=True, thinking=True)
    assert _entry(capabilities=[]).capabilities is None
    assert _entry(capabilities=["telepathy"]).capabilities is None
    assert _entry(capabilities="vision").capabilities is None


def test_a_model_that_embeds_and_does_not_complete_is_for_embedding_only() -> None:
    assert _entry(capabilities=["embedding"]).embedding_only
    assert not _entry(capabilities=["embedding", "completion"]).embedding_only


def test_a_cloud_stub_is_remote() -> None:
    assert _entry(remote_host="https://ollama.com:443", remote_model="gpt-oss:120b").remote
    assert not _entry(remote_host="").remote


@pytest.mark.parametrize(
    ("value", "size"),
    [
        *((7, 7), (7.0, 7), (0, 0), (-1, 0), (2**63, 0), (2**63 - 1, 2**63 - 1), ("7", 0)),
        *((True, 0), (None, 0), ([], 0), (float("nan"), 0), (float("inf"), 0), (7.5, 0)),
    ],
)
def test_a_size_that_cannot_be_is_unknown(value: object, size: int) -> None:
    assert _entry(size=value).size_bytes == size


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2024-05-01T10:00:00Z", datetime(2024, 5, 1, 10, tzinfo=UTC)),
        ("2024-05-01T10:00:00.123456789-07:00", datetime(2024, 5, 1, 17, 0, 0, 123456, UTC)),
        ("2024-05-01T10:00:00", datetime(2024, 5, 1, 10, tzinfo=UTC)),
        ("0001-01-01T00:00:00Z", None),
        ("0001-01-01T00:00:00+09:00", None),
        ("9999-12-31T23:59:59-09:00", None),
        ("20000-01-01T00:00:00Z", None),
        ("yesterday", None),
        ("", None),
        (17, None),
        (None, None),
    ],
)
def test_a_moment_is_in_utc_or_unknown(text: object, moment: datetime | None) -> None:
    assert _entry(modified_at=text).modified_at == moment


@pytest.mark.parametrize(
    ("digest", "kept"),
    [(DIGEST, DIGEST), ("sha256:" + DIGEST, DIGEST), ("A" * 64, ""), ("../x", ""), (None, "")],
)
def test_a_digest_is_64_hex_digits_or_nothing(digest: object, kept: str) -> None:
    assert _entry(digest=digest).digest == kept


@pytest.mark.parametrize(
    ("text", "billions"),
    [
        ("8.0B", 8.0),
        ("270.12M", 0.27012),
        ("8x7B", 56.0),
        ("8 x 22b", 176.0),
        ("137M", 0.137),
        ("500K", 0.0005),
        ("1.5T", 1500.0),
        ("0B", None),
        ("", None),
        ("B", None),
        ("8", None),
        ("-8B", None),
        ("8.0B parameters", None),
        ("9" * 400 + "B", None),
        ("\u0668B", None),
    ],
)
def test_a_parameter_size_is_read_as_billions(text: str, billions: float | None) -> None:
    expected = None if billions is None else pytest.approx(billions)
    assert parse_parameter_size(text) == expected


SHOWN = {
    "license": "Be good.\x1b[31m",
    "modelfile": "FROM /blobs/x\n",
    "parameters": 'num_ctx                        8192\nstop                           "<|eot|>"\n'
    'stop                           "a\\"b"',
    "template": "{{ .Prompt }}\r\n",
    "system": "You are\ta robot.",
    "details": {"family": "phi3", "parameter_size": "4B", "quantization_level": "unknown"},
    "model_info": {
        "general.architecture": "phi3",
        "general.parameter_count": 3821079648,
        "phi3.rope.scaling.original_context_length": 4096,
        "phi3.context_length": 131072,
        "phi3.block_count": 32,
        "phi3.attention.head_count_kv": [8, 8],
        "phi3.attention.key_length": 96.5,
        "tokenizer.ggml.tokens": None,
        "tokenizer.ggml.merges": [],
        "general.evil": "x\x07",
    },
    "capabilities": ["completion"],
    "requires": "0.14.0",
    "tensors": [{"name": "t", "type": "F32", "shape": [1]}],
    "modified_at": "2024-05-01T10:00:00Z",
}


def test_details_come_from_show() -> None:
    details = parse_show("phi3:mini", SHOWN)
    info = details.info
    assert (info.name, info.architecture, info.context_window) == ("phi3:mini", "phi3", 131072)
    assert info.parameters_billions == pytest.approx(3.821079648)
    assert info.quantization is None
    assert info.served_context_tokens == 8192
    assert info.capabilities == ModelCapabilities(streaming=True)
    assert set(info.sources.values()) == {"/api/show"}
    assert details.parameters == (("num_ctx", "8192"), ("stop", "<|eot|>"), ("stop", 'a"b'))
    assert details.license == "Be good.�[31m"
    assert details.template == "{{ .Prompt }}\n"
    assert details.system == "You are    a robot."
    assert details.requires == "0.14.0"
    assert info.metadata == {
        "general.architecture": "phi3",
        "general.parameter_count": 3821079648,
        "rope.scaling.original_context_length": 4096,
        "context_length": 131072,
        "block_count": 32,
        "attention.head_count_kv": (8, 8),
        "attention.key_length": 96.5,
        "general.evil": "x�",
    }


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("architecture", ["phi3", None])
def test_d17_the_context_is_the_architectures_own_whatever_else_ends_alike(
    architecture: str | None, backwards: bool
) -> None:
    pairs: list[tuple[str, object]] = [
        ("phi3.rope.scaling.original_context_length", 4096),
        ("phi3.context_length", 131072),
        ("clip.context_length", 77),
        ("a.b.context_length", 999_999),
    ]
    if architecture:
        pairs.append(("general.architecture", architecture))
    model_info = dict(reversed(pairs) if backwards else pairs)
    assert parse_show("m", {"model_info": model_info}).info.context_window == 131072


def test_d17_an_architecture_without_its_context_has_none() -> None:
    model_info = {"general.architecture": "bert", "clip.context_length": 77}
    assert parse_show("m", {"model_info": model_info}).info.context_window is None


def test_an_empty_answer_to_show_is_a_model_of_which_nothing_is_known() -> None:
    details = parse_show("m:t", {})
    assert details.info == ModelInfo(name="m:t")
    assert dict(details.info.sources) == {}


@pytest.mark.parametrize(
    ("line", "pair"),
    [
        ('stop      "a b"', ("stop", "a b")),
        ("temperature 0.7", ("temperature", "0.7")),
        ("stop <|eot|>", ("stop", "<|eot|>")),
        (r'stop "\n\t\\\""', ("stop", '  \\"')),
        (r'stop "\x41\u00e9\U0001F600\101"', ("stop", "Aé😀A")),
        (r'stop "\x1b[2J"', ("stop", "�[2J")),
        (r'stop "\UFFFFFFFF"', ("stop", "�")),
        (r'stop "\ud800"', ("stop", "�")),
        ('stop "open', ("stop", '"open')),
        ('stop "', ("stop", '"')),
        (r'stop "\"', ("stop", "\\")),
    ],
)
def test_a_parameter_is_unquoted_and_safe(line: str, pair: tuple[str, str]) -> None:
    assert parse_parameters(line) == (pair,)


def test_lines_without_a_value_are_no_parameters() -> None:
    assert parse_parameters("\n  \nalone\n") == ()


@pytest.mark.parametrize("value", ['"8192"', "8192"])
def test_num_ctx_is_the_context_that_will_be_served(value: str) -> None:
    info = parse_show("m", {"parameters": f"num_ctx {value}"}).info
    assert info.served_context_tokens == 8192


@pytest.mark.parametrize("value", ["many", "-1", "0", "9" * 5000, "٣"])
def test_a_num_ctx_that_is_no_number_is_unknown(value: str) -> None:
    assert parse_show("m", {"parameters": f"num_ctx {value}"}).info.served_context_tokens is None


def test_running_models_tell_their_memory_and_when_they_leave() -> None:
    running = parse_ps(
        {
            "models": [
                {
                    "name": "llama3:8b",
                    "size": 6_000_000_000,
                    "size_vram": 3_000_000_000,
                    "digest": DIGEST,
                    "expires_at": "2026-01-31T10:05:00.5+01:00",
                    "context_length": 4096,
                },
                {"name": "stays", "expires_at": "2318-05-01T10:00:00Z"},
                {"model": "named\x1b", "expires_at": "0001-01-01T00:00:00Z"},
                {"size": 1},
                None,
            ]
        }
    )
    assert running is not None
    assert [model.name for model in running] == ["llama3:8b", "stays", "named\x1b"]
    first = running[0]
    assert first.expires_at == datetime(2026, 1, 31, 9, 5, 0, 500_000, UTC)
    assert (first.size_bytes, first.size_vram_bytes) == (6_000_000_000, 3_000_000_000)
    assert (first.digest, first.context_tokens) == (DIGEST, 4096)
    assert running[1].expires_at is None
    assert running[2].display_name == "named�"
    assert parse_ps({"models": None}) is None


ODD: list[object] = [
    *(None, "", "x", "\x1b", "\ud800", "7", "8x7B", 'num_ctx 9\nstop "\\', "2024-05-01T10:00:00Z"),
    *("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59.9-14:00", -1, 0, 1, 2**63, 10**400, 1.5),
    *(float("nan"), float("inf"), -float("inf"), True, [], {}, [None], [[]], {"name": 1}),
]
JSON = st.sampled_from(ODD) | st.text(max_size=8) | st.floats() | st.integers()
DETAIL_KEYS = st.sampled_from(
    ["family", "families", "parameter_size", "quantization_level", "context_length", "format"]
)
INFO_KEYS = st.sampled_from(
    [
        *("general.architecture", "general.parameter_count", "llama.context_length"),
        *("x.context_length", "llama.block_count", ".context_length", "\x1b[2J"),
    ]
)
ENTRY = st.fixed_dictionaries(
    {},
    optional={
        "name": st.sampled_from(["m", "m:t", "ns/m:t"]) | JSON,
        "model": JSON,
        "size": JSON,
        "size_vram": JSON,
        "digest": JSON,
        "modified_at": JSON,
        "expires_at": JSON,
        "context_length": JSON,
        "capabilities": JSON,
        "remote_host": JSON,
        "license": JSON,
        "parameters": JSON,
        "details": JSON | st.dictionaries(DETAIL_KEYS, JSON),
        "model_info": JSON | st.dictionaries(INFO_KEYS, JSON | st.just("llama")),
    },
)


@given(st.lists(ENTRY | JSON, max_size=4))
def test_no_list_breaks_it_and_no_entry_is_lost(entries: list[object]) -> None:
    listed = _tags(*entries)
    assert len(listed.models) + len(listed.problems) == len(entries)
    for model in listed.models:
        assert model.size_bytes >= 0
        assert model.display_name.isprintable()
        assert "\x1b" not in repr(model).replace(repr(model.name), "")
    running = parse_ps({"models": entries})
    assert running is not None
    assert all(model.size_bytes >= 0 for model in running)


@given(ENTRY)
def test_no_details_break_it(entry: dict[str, object]) -> None:
    details = parse_show("m:t", entry)
    assert details.info.name == "m:t"
    texts = (details.license, *map(str, details.info.metadata), *sum(details.parameters, ()))
    assert not any("\x1b" in text for text in texts)
    context = details.info.context_window
    assert context is None or context > 0
    json.dumps(dict(details.info.metadata), allow_nan=False)
