"""The grammar of model names; the rows are those of reference/ollama.md 2.1 to 2.3 and 1.14."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ollm_tui.core.error import InvalidName
from ollm_tui.core.name import (
    ModelName,
    name_from_store_path,
    name_key,
    parse_name,
    parse_reference,
    same_model,
)

LIBRARY = "registry.ollama.ai/library"


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("llama3", f"{LIBRARY}/llama3/latest"),
        ("LLama3:8B", f"{LIBRARY}/LLama3/8B"),
        ("ns/llama3", "registry.ollama.ai/ns/llama3/latest"),
        ("library/llama3:latest", f"{LIBRARY}/llama3/latest"),
        (
            "hf.co/bartowski/Llama-3.2-1B-Instruct-GGUF:Q4_K_M",
            "hf.co/bartowski/Llama-3.2-1B-Instruct-GGUF/Q4_K_M",
        ),
        ("localhost:5000/ns/m:t", "localhost:5000/ns/m/t"),
        ("http://localhost:5000/ns/m", "localhost:5000/ns/m/latest"),
        ("https://localhost:5000/ns/m", "localhost:5000/ns/m/latest"),
        ("m.", f"{LIBRARY}/m./latest"),
        ("m..x", f"{LIBRARY}/m..x/latest"),
        ("_m:_t", f"{LIBRARY}/_m/_t"),
        ("m:" + "t" * 80, f"{LIBRARY}/m/" + "t" * 80),
        ("example.com:99999/n/m", "example.com:99999/n/m/latest"),
        ("h:https/n/m:t", "h:https/n/m/t"),
        ("h" * 350 + "/n/m", "h" * 350 + "/n/m/latest"),
    ],
)
def test_a_valid_name_has_its_place_in_the_store(text: str, path: str) -> None:
    name = parse_name(text)
    assert name.store_path == path
    assert name_from_store_path(path) == ModelName(name.host, name.namespace, name.model, name.tag)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("host:5000/m", "after the host 'host:5000' a namespace must come"),
        ("n.s/m", "the namespace 'n.s' may hold letters, digits, '_' and '-'"),
        ("h.x/n.s/m", "the namespace 'n.s'"),
        ("a/b/c/d", "the host 'a/b'"),
        ("m@sha256:" + "a" * 64, "a digest (@…) cannot be part of a name"),
        ("m:t@sha256:" + "a" * 64, "a digest (@…)"),
        ("m:", "the tag is missing"),
        (":t", "the model is missing"),
        ("/m", "the namespace is missing"),
        ("a//m", "the namespace is missing"),
        ("//m", "the host is missing"),
        ("/n/m", "the host is missing"),
        ("", "the model is missing"),
        ("-m", "starts with a letter"),
        (".m", "starts with a letter"),
        ("m:-t", "the tag '-t'"),
        ("m:..", "the tag '..'"),
        ("m:.t", "the tag '.t'"),
        ("m t", "the model 'm t'"),
        ("m+x", "the model 'm+x'"),
        ("m~x", "the model 'm~x'"),
        ("m\\x", "the model"),
        ("C:\\x", "the tag"),
        ("ünï", "the model 'ünï'"),
        ("m:a/b", "after the host 'm:a' a namespace must come"),
        ("../m", "the namespace '..'"),
        ("x/../m", "the namespace '..'"),
        ("m:t:u", "the model 'm:t'"),
        ("a:b/c:d/e:f", "the namespace 'c:d'"),
        (" m", "the model ' m'"),
        ("m\t", "the model"),
        ("m\n", "the model"),
        ("m:t\n", "the tag"),
        ("m:" + "t" * 81, "the tag is longer than 80 characters"),
        ("m" * 81, "the model is longer than 80 characters"),
        ("n" * 81 + "/m", "the namespace is longer than 80 characters"),
        ("h" * 351 + "/n/m", "the host is longer than 350 characters"),
        ("http://ns/m", "http:// needs a registry host"),
        ("https://m", "https:// needs a registry host"),
        ("ftp://h/n/m", "the scheme can be http or https, not 'ftp'"),
    ],
)
def test_an_invalid_name_is_refused_with_the_part_that_is_wrong(text: str, why: str) -> None:
    with pytest.raises(InvalidName) as caught:
        parse_name(text)
    assert why in caught.value.cause
    assert caught.value.message.startswith("Invalid model name format: ")
    assert caught.value.actions


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("llama3", "llama3:latest"),
        ("library/llama3:latest", "llama3:latest"),
        ("Registry.Ollama.AI/Library/llama3", "llama3:latest"),
        ("ns/m:t", "ns/m:t"),
        ("host/library/m:t", "host/library/m:t"),
        ("http://host:1/ns/m", "host:1/ns/m:latest"),
    ],
)
def test_the_short_form_is_what_servers_display(text: str, short: str) -> None:
    assert parse_name(text).short == short


def test_only_http_in_front_asks_for_plain_http() -> None:
    assert parse_name("HTTP://host:1/ns/m").is_plain_http
    assert not parse_name("https://host/ns/m").is_plain_http
    assert not parse_name("m").is_plain_http


@pytest.mark.parametrize(
    ("typed", "short"),
    [
        (" m\t", "m:latest"),
        ("gpt-oss:20b:cloud", "gpt-oss:20b-cloud"),
        ("gpt-oss:20b-cloud", "gpt-oss:20b-cloud"),
        ("gpt-oss:20b:CLOUD", "gpt-oss:20b-cloud"),
        ("m:cloud", "m:cloud"),
        ("host:5000/ns/m:cloud", "host:5000/ns/m:cloud"),
        ("q:8b:local", "q:8b"),
        ("q:local", "q:latest"),
        ("http://host:1/ns/q:8b:local", "host:1/ns/q:8b"),
    ],
)
def test_cloud_and_local_are_operators_behind_a_name(typed: str, short: str) -> None:
    assert parse_reference(typed).short == short


@pytest.mark.parametrize(
    "typed",
    ["foo:cloud:local", "foo:local:cloud", "foo:8b-cloud:local", "foo:cloud:cloud"],
)
def test_two_operators_contradict_each_other(typed: str) -> None:
    with pytest.raises(InvalidName, match="use either :local or :cloud"):
        parse_reference(typed)


@pytest.mark.parametrize("typed", ["", "  ", ":cloud", ":local", "a/b/c/d:cloud"])
def test_an_operator_does_not_make_a_name_valid(typed: str) -> None:
    with pytest.raises(InvalidName):
        parse_reference(typed)


def test_names_are_the_same_whatever_their_case_and_their_defaults() -> None:
    assert same_model("llama3", "LLAMA3:Latest")
    assert same_model("registry.ollama.ai/library/llama3:latest", "llama3")
    assert not same_model("llama3", "llama3:8b")
    assert not same_model("llama3", "ns/llama3")
    assert same_model("not a name", "not a name")
    assert not same_model("not a name", "NOT A NAME")
    assert name_key("not a name") == "not a name"


@pytest.mark.parametrize(
    "path",
    [".DS_Store", "h/n/m", "h/n/m/t/u", "h/n.s/m/t", "h/n/m/", "h/n/../t", "/n/m/t", "h/n/m/t\n"],
)
def test_other_files_of_a_store_are_not_names(path: str) -> None:
    assert name_from_store_path(path) is None


PART = st.builds(str.__add__, st.sampled_from("aZ0_"), st.text("aZ0_-", max_size=6))


@given(PART, PART, PART, PART)
def test_a_canonical_name_parses_to_itself(host: str, namespace: str, model: str, tag: str) -> None:
    name = ModelName(host, namespace, model, tag)
    assert parse_name(name.canonical) == name
    assert parse_name(name.short).key == name.key
    assert name_from_store_path(name.store_path) == name


@given(st.text(max_size=60) | st.text("ab:/.@-_ é", max_size=20))
def test_any_text_is_a_name_or_is_refused(text: str) -> None:
    try:
        name = parse_name(text)
    except InvalidName:
        return
    assert parse_name(name.short).key == name.key
