"""What a server answered as a whole, and which error of ours a refusal is. Pure."""

import json
import re
from datetime import UTC, datetime
from typing import NamedTuple
from urllib.parse import urlsplit

from ollm_tui.core.error import (
    WRONG_SERVER,
    ProviderError,
    ProviderGarbled,
    ProviderOffline,
    ProviderRefused,
)
from ollm_tui.core.text import clean_line
from ollm_tui.providers.ollama_host import Host

BODY_LIMIT_BYTES = 64 * 1024 * 1024
_GATEWAY_STATUSES = (502, 503, 504)
_NO_SUCH_PATH = (404, 405, 501)  # 501 is a web server's answer to what is neither GET nor HEAD
_TEXT_LIMIT = 300
_NAME_LIMIT = 60
_TITLE_WITHIN = 4096
_TITLE = re.compile(rb"<title[^>]*>([^<]*)", re.IGNORECASE)


class Answer(NamedTuple):
    """Status, the few headers that matter, and the body as far as it was read."""

    status: int
    body: bytes = b""
    reason: str = ""
    content_type: str = ""
    location: str = ""
    retry_after: str = ""
    server: str = ""
    """What the program that answers calls itself."""

    @property
    def is_success(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status < 300

    @property
    def is_web_page(self) -> bool:
        """Whether it is HTML, by what it says of itself or by how it begins."""
        return "html" in self.content_type.lower() or self.body[:512].lstrip()[:1] == b"<"

    @property
    def answerer(self) -> str:
        """What the answer tells of the program behind it, to follow a cause; or empty.

        Sanitised. Ollama itself says nothing of the kind.
        """
        from html import unescape  # brings every entity there is, and is rarely needed

        title = _TITLE.search(self.body[:_TITLE_WITHIN]) if self.is_web_page else None
        words = title[1].decode("utf-8", "replace") if title else ""
        parts = (
            ("the page is titled", clean_line(" ".join(unescape(words).split()), _NAME_LIMIT)),
            ("the server calls itself", clean_line(self.server, _NAME_LIMIT)),
        )
        return "".join(f"; {said} {name}" for said, name in parts if name.strip())

    @property
    def error(self) -> str:
        """The text of Ollama's `{"error": "..."}`, sanitised; empty if this is something else."""
        message = _json_object(self.body).get("error")
        return clean_line(message) if isinstance(message, str) else ""

    @property
    def sign_in_url(self) -> str:
        """Where Ollama wants the user to sign in, sanitised; empty if nowhere."""
        url = _json_object(self.body).get("signin_url")
        return clean_line(url) if isinstance(url, str) else ""


def decode_object(answer: Answer, host: Host) -> dict[str, object]:
    """Return the JSON object that a successful answer holds.

    Raises:
        ProviderGarbled: it holds anything else.
    """
    try:
        value = json.loads(answer.body)
    except (ValueError, RecursionError) as error:
        if answer.is_web_page:
            why = f"it answered with a web page, not with Ollama's API{answer.answerer}"
        else:
            why = f"it answered with something that is not JSON{answer.answerer}"
        raise _garbled(host, why) from error
    if not isinstance(value, dict):
        why = f"its JSON is not the object that Ollama's API promises{answer.answerer}"
        raise _garbled(host, why)
    return value


def refusal(answer: Answer, host: Host) -> ProviderError:
    """Return the error that an answer other than 2xx means, whichever endpoint was asked."""
    if answer.status < 400:
        return _redirected(answer, host)
    error: ProviderError
    if answer.status in _GATEWAY_STATUSES and not answer.error:
        error = ProviderOffline(
            f"No Ollama server behind {host.display}",
            cause=f"a gateway answered {_status_line(answer)}: what it stands for does not answer",
        )
    else:
        error = ProviderRefused(
            f"{host.display} refused the request",
            status=answer.status,
            cause=_cause(answer),
            actions=_actions(answer, host),
        )
    error.retry_after_s = retry_after_s(answer.retry_after, datetime.now(UTC))
    return error


def retry_after_s(text: str, now: datetime) -> float | None:
    """Read a Retry-After header, seconds or a date; None for one that says nothing usable.

    Args:
        now: aware; what a date counts from.
    """
    text = text.strip()
    if re.fullmatch(r"[0-9]{1,12}", text):
        return float(text)
    from email.utils import parsedate_to_datetime  # slow to import, and rarely needed

    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max((moment - now).total_seconds(), 0.0)


def _redirected(answer: Answer, host: Host) -> ProviderError:
    target = _origin(answer.location)
    if not target:
        return _garbled(host, f"it answered {_status_line(answer)}, which Ollama's API never does")
    return ProviderGarbled(
        f"{host.display} sends requests on to {target}",
        cause=f"redirects are not followed ({_status_line(answer)})",
        actions=(f"If {target} is the server you mean, name it: --host {target}.",),
    )


def _origin(location: str) -> str:
    """scheme://host:port of a Location header, sanitised and without credentials; or empty."""
    try:
        parts = urlsplit(location)
        port = f":{parts.port}" if parts.port is not None else ""
    except ValueError:
        return ""
    return clean_line(f"{parts.scheme}://{parts.hostname}{port}") if parts.hostname else ""


def _cause(answer: Answer) -> str:
    status = _status_line(answer)
    if answer.error:
        return f"{status}: {answer.error}"
    if answer.status == 403 and not answer.body:
        return f"{status}: the server does not accept this host name or origin"
    if answer.status in _NO_SUCH_PATH:
        return f"{status}: there is no Ollama API at this address{answer.answerer}"
    if answer.is_web_page:
        return f"{status}, with a web page{answer.answerer}"
    text = clean_line(answer.body[: 4 * _TEXT_LIMIT].decode("utf-8", "replace"), _TEXT_LIMIT)
    return f"{status}: {text}" if text.strip() else status


def _actions(answer: Answer, host: Host) -> tuple[str, ...]:
    if answer.sign_in_url:
        return (f"Sign in at {answer.sign_in_url}, then try again.",)
    match answer.status:
        case 401:
            return ("Give the key that this server asks for (apiKeyEnv, or headers in the file).",)
        case 403 if not answer.body:
            return ("Use the server's address or localhost as --host instead of its name.",)
        case 404 | 405 | 501 if not answer.error:
            example = f"{host.scheme}://{host.netloc}/path"
            return (
                *WRONG_SERVER,
                f"If it is Ollama, check its base path (--host {example}); an old one may not "
                "know this request.",
            )
        case 429:
            return ("Wait a little, then try again.",)
    if answer.is_web_page and answer.status < 500:
        return WRONG_SERVER
    if answer.status >= 500:
        return ("Try again; the server's own log says more.",)
    return ()


def _status_line(answer: Answer) -> str:
    return f"HTTP {answer.status} {clean_line(answer.reason, 80)}".rstrip()


def _json_object(body: bytes) -> dict[str, object]:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _garbled(host: Host, why: str) -> ProviderGarbled:
    return ProviderGarbled(f"{host.display} does not answer as Ollama does", cause=why)
