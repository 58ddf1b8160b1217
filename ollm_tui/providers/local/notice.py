"""What a model needs of whoever is to run it, told before it is downloaded. Pure."""

import re

from ollm_tui.core.error import DownloadFailed
from ollm_tui.core.name import ModelName
from ollm_tui.providers.local.manifest import Config, Manifest


def notice(name: ModelName, manifest: Manifest, config: Config, server_version: str) -> str:
    """What to know before gigabytes are fetched.

    Args:
        server_version: of the Ollama that is to run the model; empty if there is none.

    Raises:
        DownloadFailed: the server that is to run it is too old.
    """
    needs, has = _version(config.requires), _version(server_version)
    if needs and has and needs > has:
        raise DownloadFailed(
            f"{name.short} needs Ollama {config.requires}",
            cause=f"the server here is {server_version}",
            actions=("Update the Ollama server, then pull again.",),
            retryable=False,
        )
    notices = []
    if needs and not has:
        notices.append(f"needs Ollama {config.requires} or newer to run")
    if manifest.is_tensor_model:
        notices.append("needs an Ollama with the MLX runtime to run")
    if config.is_remote:
        notices.append(f"runs at {config.remote_host or 'a remote host'}, not on this machine")
    return "; ".join(notices)


def _version(text: str) -> tuple[int, ...]:
    """The numbers of a version; none for a development build, which says 0.0.0, or nonsense."""
    match = re.match(r"v?(\d{1,6})\.(\d{1,6})(?:\.(\d{1,6}))?", text.strip(), re.ASCII)
    numbers = tuple(int(number or 0) for number in match.groups()) if match else ()
    return numbers if any(numbers) else ()
