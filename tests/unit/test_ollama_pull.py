"""The lines of a pull. All of them are constructed after reference/ollama.md 1.7."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ollm_tui.core.error import DownloadFailed, HttpsMissing, ModelNotFound, NotEnoughSpace
from ollm_tui.core.progress import PullPhase, PullStep
from ollm_tui.providers.ollama_json import error_text
from ollm_tui.providers.ollama_pull import parse_pull_step, pull_error

DIGEST = "sha256:" + "a" * 64


@pytest.mark.parametrize(
    ("status", "phase"),
    [
        ("pulling manifest", PullPhase.RESOLVING),
        ("verifying sha256 digest", PullPhase.VERIFYING),
        ("writing manifest", PullPhase.FINISHING),
        ("removing unused layers", PullPhase.FINISHING),
        ("couldn't remove unused layers: x", PullPhase.FINISHING),
        ("success", PullPhase.SUCCESS),
        ("success is near", PullPhase.RESOLVING),
        ("doing something new", PullPhase.RESOLVING),
        ("", PullPhase.RESOLVING),
    ],
)
def test_a_status_tells_the_phase(status: str, phase: PullPhase) -> None:
    assert parse_pull_step({"status": status}) == PullStep(phase, status)


def test_a_layer_in_transfer_tells_its_bytes() -> None:
    line = {"status": "pulling aaaa", "digest": DIGEST, "total": 10, "completed": 4}
    assert parse_pull_step(line) == PullStep(
        PullPhase.TRANSFERRING, "pulling aaaa", layer=DIGEST, total_bytes=10, completed_bytes=4
    )


@pytest.mark.parametrize("value", [None, -1, "7", 2**63, [], float("nan")])
def test_bytes_that_cannot_be_are_zero(value: object) -> None:
    step = parse_pull_step({"digest": DIGEST, "total": value, "completed": value})
    assert (step.total_bytes, step.completed_bytes) == (0, 0)


def test_a_tensor_model_is_one_layer_with_an_odd_digest() -> None:
    step = parse_pull_step({"status": "pulling model", "digest": "sha256:model", "total": 5})
    assert (step.phase, step.layer) == (PullPhase.TRANSFERRING, "sha256:model")


@pytest.mark.parametrize(
    "text", ["no space left on device", "There is not enough space on the disk"]
)
def test_a_disk_that_is_full_is_told_as_such_without_figures(text: str) -> None:
    error = pull_error("llama3", f"write /m/blobs/sha256-a-partial: {text}")
    assert isinstance(error, NotEnoughSpace)
    assert (error.needed_bytes, error.free_bytes) == (0, None)
    assert text in error.reason


@pytest.mark.parametrize(
    "text", ["pull model manifest: file does not exist", "pull model manifest: 404: not here"]
)
def test_a_model_that_the_registry_has_not_is_not_found(text: str) -> None:
    error = pull_error("llama9", text)
    assert isinstance(error, ModelNotFound)
    assert error.cause == text
    assert "spelling" in error.actions[0]


@pytest.mark.parametrize(
    ("text", "action", "retryable"),
    [
        ("pull model manifest: 412: this requires a newer version of Ollama", "Update", False),
        ("write /m/blobs/sha256-a-partial: no space left on device", "Free disk space", False),
        ("write C:\\m: There is not enough space on the disk.", "Free disk space", False),
        ("open /m/blobs: permission denied", "OLLAMA_MODELS", False),
        ("mkdir /m: read-only file system", "OLLAMA_MODELS", False),
        ("unauthorized: access denied", "ollama signin", False),
        ("pull model manifest: 403: no", "ollama signin", False),
        ("tls: failed to verify certificate: x509: unknown authority", "certificate", False),
        ('pull model manifest: realm host "a" does not match original host "b"', "trust", False),
        ("http: no Location header in response", "another source", False),
        ("unexpected status code 302", "another source", False),
        ("this model requires MLX support, but the runtime is not available", "GGUF", False),
        ("invalid model name", "host/namespace/model", False),
        ("digest mismatch, file must be downloaded again: want a, got b", "proxy", True),
        ("max retries exceeded: EOF", "network", True),
        ("EOF", "network", True),
        ('Get "https://r/v2/": dial tcp: lookup r: no such host', "network", True),
        ("net/http: TLS handshake timeout", "network", True),
        ("read tcp 1.2.3.4:5: connection reset by peer", "network", True),
        ("dial tcp 1.2.3.4:443: connect: network is unreachable", "network", True),
        ("pull model manifest: 500: oops", "retry", True),
        ("context canceled", "retry", True),
        ("something never seen", "retry", True),
    ],
)
def test_a_failure_says_what_to_do_and_whether_to_retry(
    text: str, action: str, retryable: bool
) -> None:
    error = pull_error("llama3", text)
    assert isinstance(error, DownloadFailed)
    assert error.message == "Could not download llama3"
    assert error.cause == text
    assert action in error.actions[0]
    assert error.retryable is retryable


def test_a_registry_without_https_is_told_from_a_host_that_it_sends_on_to() -> None:
    text = 'Get "https://{}/v2/ns/m/manifests/t": http: server gave HTTP response to HTTPS client'
    error = pull_error("Box:5000/ns/m:t", text.format("box:5000"))
    assert isinstance(error, HttpsMissing)
    assert "http://box:5000/" in error.actions[0]
    assert not error.retryable
    for name, host in (("box:5000/ns/m:t", "cdn:5000"), ("llama3", "registry.ollama.ai")):
        assert not isinstance(pull_error(name, text.format(host)), HttpsMissing)


def test_a_private_model_of_another_registry_is_not_a_servers_to_pull() -> None:
    """`ollama signin` is for Ollama's own registry."""
    error = pull_error("http://Box:5000/ns/m", "pull model manifest: 401: no")
    assert 'registries."box:5000"' in error.actions[0]
    assert "--provider local" in error.actions[0]
    assert "signin" in pull_error("no name / at all", "unauthorized").actions[0]


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ({"error": "no\x1b"}, "no�"),
        ({"error": {"message": "deep"}}, "deep"),
        ({"error": {"code": 7}}, "unknown error"),
        ({"error": ""}, ""),
        ({"error": None}, ""),
        ({"status": "success"}, ""),
    ],
)
def test_an_error_line_is_told_from_others(message: dict[str, object], text: str) -> None:
    assert error_text(message) == text


JUNK = st.none() | st.integers() | st.floats() | st.text(max_size=5) | st.just(["x"])


@given(
    st.fixed_dictionaries(
        {}, optional={"status": JUNK, "digest": JUNK, "total": JUNK, "completed": JUNK}
    )
)
def test_no_line_breaks_it(message: dict[str, object]) -> None:
    step = parse_pull_step(message)
    assert step.total_bytes >= 0
    assert step.completed_bytes >= 0
    assert step.phase is not PullPhase.SUCCESS or message["status"] == "success"
