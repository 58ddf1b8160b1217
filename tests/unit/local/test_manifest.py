"""Manifests of the kind that registries send, and of the kind that do harm."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ollm_tui.core.error import ProviderGarbled
from ollm_tui.providers.local.manifest import (
    CONFIG_TYPE,
    MANIFEST_TYPE,
    is_digest,
    parse_config,
    parse_manifest,
    parse_parameters,
)

A, B, C = (f"sha256:{letter * 64}" for letter in "abc")


def manifest(config: object = None, layers: object = None) -> bytes:
    return json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST_TYPE,
            "config": config or {"mediaType": CONFIG_TYPE, "digest": A, "size": 10},
            "layers": [layer(B, 100)] if layers is None else layers,
        }
    ).encode()


def layer(digest: object, size: object, kind: str = "model") -> dict[str, object]:
    return {"mediaType": f"application/vnd.ollama.image.{kind}", "digest": digest, "size": size}


def test_a_manifest_gives_its_blobs_once_and_its_size_as_ollama_counts() -> None:
    raw = manifest(layers=[layer(B, 100), layer(C, 7, "license"), layer(C, 7, "license")])
    read = parse_manifest(raw)
    assert [blob.digest for blob in read.blobs] == [A, B, C]
    assert read.size_bytes == 10 + 100 + 7 + 7
    assert [blob.kind for blob in read.blobs] == ["config", "model", "license"]
    assert len(read.of_kind("license")) == 1
    assert not read.is_tensor_model


def test_its_digest_is_that_of_its_bytes_whatever_their_spacing() -> None:
    raw = manifest()
    assert parse_manifest(raw).raw == raw
    assert parse_manifest(raw).digest != parse_manifest(raw + b"\n").digest


@pytest.mark.parametrize(
    "digest",
    [
        "",
        "sha256:",
        "sha256:../../../../tmp/x",
        "sha256:" + "A" * 64,
        "sha256:" + "a" * 63,
        "sha256:" + "a" * 65,
        "sha256-" + "a" * 64,
        "sha512:" + "a" * 64,
        "sha256:" + "a" * 64 + "\n",
        "sha256:" + "a" * 60 + "/../",
        "a" * 64,
        "sha256:" + "\u0661" * 64,
        None,
        7,
        ["sha256:" + "a" * 64],
    ],
)
def test_a_manifest_with_an_odd_digest_is_refused(digest: object) -> None:
    assert not is_digest(digest)
    with pytest.raises(ProviderGarbled, match="a digest in it"):
        parse_manifest(manifest(layers=[layer(B, 1), layer(digest, 1)]))
    with pytest.raises(ProviderGarbled, match="a digest in it"):
        parse_manifest(manifest(config={"digest": digest, "size": 1}))


@pytest.mark.parametrize("size", [-1, 2**63, 2**62, 1.5, "7", None, True, 1e300])
def test_a_manifest_with_an_odd_size_is_refused(size: object) -> None:
    with pytest.raises(ProviderGarbled, match="a size in it"):
        parse_manifest(manifest(layers=[layer(B, size)]))


@pytest.mark.parametrize(
    ("raw", "cause"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (b"{", "not JSON"),
        (b"[]", "not an object"),
        (b"{}", "no layers"),
        (b"\xff\xfe{}", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b'{"layers": ' + b"9" * 10_000 + b"}", "not JSON"),
        (manifest(layers=[]), "no layers"),
        (manifest(layers={"a": 1}), "no layers"),
        (manifest(layers=[None]), "a digest in it"),
        (b'{"layers":[' + b"1," * 4096 + b"1]}", "4097 layers"),
        (b" " * (1024 * 1024) + b"{}", "longer than"),
        (manifest(layers=[layer(B, 1), layer(B, 2)]), "two sizes"),
    ],
)
def test_what_is_no_manifest_is_refused_with_its_reason(raw: bytes, cause: str) -> None:
    with pytest.raises(ProviderGarbled, match=cause):
        parse_manifest(raw)


JSON = st.recursive(
    st.none() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["layers", "config", "digest", "model_family"]), inner)
    ),
    max_leaves=6,
)


@given(JSON)
def test_any_json_is_a_manifest_or_refused(value: object) -> None:
    with pytest.raises(ProviderGarbled):
        parse_manifest(json.dumps(value).encode())
    parse_config(json.dumps(value).encode())
    parse_parameters(json.dumps(value).encode())


def test_a_configuration_says_what_the_model_is() -> None:
    config = parse_config(
        b'{"model_format":"gguf","model_families":["llama","clip"],"model_type":"8.0B",'
        b'"file_type":"Q4_K_M","capabilities":["vision",3],"requires":"0.14.0",'
        b'"remote_host":"https://ollama.com\\u001b"}'
    )
    assert (config.family, config.parameter_size, config.quantization) == (
        "llama",
        "8.0B",
        "Q4_K_M",
    )
    assert config.requires == "0.14.0"
    assert config.is_remote
    assert config.remote_host == "https://ollama.com\ufffd"
    assert config.capabilities >= {"vision"}


def test_parameters_repeat_a_name_for_each_entry_of_a_list() -> None:
    raw = b'{"stop":["<a>","<b>"],"num_ctx":4096,"temperature":0.5}'
    assert parse_parameters(raw) == (
        ("stop", "<a>"),
        ("stop", "<b>"),
        ("num_ctx", "4096"),
        ("temperature", "0.5"),
    )
