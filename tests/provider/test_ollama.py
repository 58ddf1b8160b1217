"""The Ollama provider against a real server on loopback. All answers here are constructed."""

from ollm_tui.core.progress import PullPhase
from ollm_tui.providers.ollama import OllamaProvider
from tests.provider.loopback import LoopbackServer, lines, whole


async def test_lists_what_the_server_has(server: LoopbackServer, provider: OllamaProvider) -> None:
    server.answers["/api/tags"] = whole({"models": [{"name": "llama3:latest", "size": 7}]})
    listed = await provider.list_models()
    assert [(model.name, model.size_bytes) for model in listed.models] == [("llama3:latest", 7)]


async def test_a_pull_reports_steps_up_to_success(
    server: LoopbackServer, provider: OllamaProvider
) -> None:
    digest = "sha256:" + "a" * 64
    server.answers["/api/pull"] = lines(
        {"status": "pulling manifest"},
        {"status": "pulling aaaaaaaaaaaa", "digest": digest, "total": 10},
        {"status": "pulling aaaaaaaaaaaa", "digest": digest, "total": 10, "completed": 4},
        {"status": "verifying sha256 digest"},
        {"status": "writing manifest"},
        {"status": "removing unused layers"},
        {"status": "success"},
    )
    steps = [step async for step in provider.pull("llama3")]
    assert [step.phase for step in steps] == [
        PullPhase.RESOLVING,
        PullPhase.TRANSFERRING,
        PullPhase.TRANSFERRING,
        PullPhase.VERIFYING,
        PullPhase.FINISHING,
        PullPhase.FINISHING,
        PullPhase.SUCCESS,
    ]
    assert (steps[2].layer, steps[2].total_bytes, steps[2].completed_bytes) == (digest, 10, 4)
    assert server.requests[0].json() == {"model": "llama3:latest", "stream": True}
