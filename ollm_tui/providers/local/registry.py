"""The registry protocol, as far as pulling needs it: manifests, and blobs from any byte on.

Owns which request is sent, what its refusals mean, and that an answer is what was asked for.
Knows nothing of stores.

Source: reference/ollama.md 3.
"""

import contextlib
import json
import re
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from ollm_tui.core.error import OllmError, ProviderGarbled
from ollm_tui.core.name import ModelName
from ollm_tui.core.text import clean_line
from ollm_tui.providers.local.attempt import Attempts, TransferPolicy, TryAgain
from ollm_tui.providers.local.auth import Credentials, parse_challenge, token_url
from ollm_tui.providers.local.manifest import (
    MANIFEST_LIMIT_BYTES,
    MANIFEST_TYPE,
    Blob,
    Manifest,
    parse_manifest,
)
from ollm_tui.providers.local.refusal import (
    ERROR_LIMIT_BYTES,
    is_passing,
    no_access,
    refusal,
)
from ollm_tui.providers.local.stop import StopSignal
from ollm_tui.providers.local.wire import Answer, Wire
from ollm_tui.providers.ollama_json import as_object, as_text

_CONTENT_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18}|\*)", re.ASCII)


@dataclass(frozen=True, slots=True)
class BlobStream:
    """The bytes of a blob, from `start` to its end."""

    answer: Answer
    start: int
    etag: str

    def read_into(self, buffer: memoryview) -> int:
        """Read what there is; 0 at the end.

        Raises:
            TryAgain: the connection broke, or nothing came for too long.
        """
        return self.answer.read_into(buffer)


class Registry:
    """Asks registries; safe for many threads. Every method blocks until `stop` or an answer.

    Args:
        credentials: by registry, as host or host:port.
    """

    def __init__(
        self,
        policy: TransferPolicy,
        *,
        ca_file: str | None = None,
        credentials: Mapping[str, Credentials] | None = None,
    ) -> None:
        self._policy = policy
        self._wire = Wire(policy, ca_file)
        self._credentials = {host.lower(): pair for host, pair in (credentials or {}).items()}
        self._authorizations: dict[str, str] = {}
        self._lock = threading.Lock()

    def manifest(self, name: ModelName, stop: StopSignal, *, tries: int | None = None) -> Manifest:
        """What a model consists of today.

        Args:
            tries: instead of the policy's, for who would rather do without.

        Raises:
            ModelNotFound: the registry has no such model.
            ProviderGarbled: what it sends is no manifest.
            DownloadFailed: it refuses, or nobody answers.
            Stopped: asked for meanwhile.
        """
        url = f"{_base_url(name)}/manifests/{name.tag}"
        policy = self._policy if tries is None else replace(self._policy, tries=tries)
        attempts = Attempts(name.short, policy, stop)
        raw = self._whole(name, url, MANIFEST_LIMIT_BYTES, attempts, stop)
        return parse_manifest(raw)

    @contextlib.contextmanager
    def open_blob(
        self, name: ModelName, blob: Blob, start: int, etag: str, stop: StopSignal
    ) -> Iterator[BlobStream]:
        """Ask for a blob from byte `start` on; a server that cannot do that gives all of it.

        Args:
            etag: what a former answer called this version of the file; empty if unknown.

        Raises:
            TryAgain: it may work the next time.
            OllmError: it will not.
            Stopped: asked for meanwhile.
        """
        headers = {}
        if start:
            headers["Range"] = f"bytes={start}-"
            if etag:
                headers["If-Range"] = etag
        url = f"{_base_url(name)}/blobs/{blob.digest}"
        with self._get(name, url, headers, stop) as answer:
            if answer.status not in (200, 206, 416):
                raise self._refused(answer, name, blob)
            yield _blob_stream(answer, blob, start)

    def close(self) -> None:
        """Let go of every connection."""
        self._wire.close()

    def _whole(
        self, name: ModelName, url: str, limit_bytes: int, attempts: Attempts, stop: StopSignal
    ) -> bytes:
        while True:
            try:
                with self._get(name, url, {"Accept": MANIFEST_TYPE}, stop) as answer:
                    if answer.status != 200:
                        raise self._refused(answer, name)
                    if answer.is_compressed:
                        raise _garbled(answer, "it sends compressed data, although asked for none")
                    raw = answer.read(limit_bytes)
                if len(raw) > limit_bytes:
                    raise _garbled(answer, f"its answer is longer than {limit_bytes} bytes")
                if answer.length not in (None, len(raw)):
                    raise TryAgain("the answer ended too early")
                return raw
            except TryAgain as failure:
                stop.check()
                attempts.failed(failure)

    @contextlib.contextmanager
    def _get(
        self, name: ModelName, url: str, headers: Mapping[str, str], stop: StopSignal
    ) -> Iterator[Answer]:
        """Ask, and once more with authorization if that is what is missing."""
        base = _base_url(name)
        with self._lock:
            known = self._authorizations.get(base, "")
        with self._wire.get(url, _authorized(headers, known), stop) as answer:
            header = str(answer.headers.get("WWW-Authenticate", ""))
            if answer.status != 401 or not header or answer.host.netloc != _netloc(name):
                yield answer
                return
        authorization = self._authorize(name, header, stop)
        with self._lock:
            self._authorizations[base] = authorization
        with self._wire.get(url, _authorized(headers, authorization), stop) as answer:
            yield answer

    def _authorize(self, name: ModelName, header: str, stop: StopSignal) -> str:
        challenge = parse_challenge(header)
        configured = self._credentials.get(name.host.lower())
        own = configured if configured is not None and configured.password else None
        if challenge.scheme == "basic" and own is not None:
            return own.basic
        if challenge.scheme != "bearer":
            why = f"it asks for credentials ({clean_line(challenge.scheme, 40)})"
            raise no_access(name, why, configured)
        url = token_url(challenge, f"{name.scheme}://{name.host}", name.short)
        headers = {"Authorization": own.basic} if own is not None else {}
        with self._wire.get(url, headers, stop, follow=False) as answer:
            if is_passing(answer.status):
                raise TryAgain(f"it gives no token now: HTTP {answer.status}")
            if answer.status != 200:
                raise no_access(name, f"it gives no token: HTTP {answer.status}", configured)
            token = _token(answer.read(ERROR_LIMIT_BYTES))
        if not token:
            raise no_access(name, "the token it gives cannot be used", configured)
        return f"Bearer {token}"

    def _refused(
        self, answer: Answer, name: ModelName, blob: Blob | None = None
    ) -> OllmError | TryAgain:
        return refusal(
            answer,
            name,
            blob,
            is_registry=answer.host.netloc == _netloc(name),
            credentials=self._credentials.get(name.host.lower()),
        )


def _base_url(name: ModelName) -> str:
    return f"{name.scheme}://{name.host}/v2/{name.namespace}/{name.model}"


def _netloc(name: ModelName) -> str:
    host, _, port = name.host.lower().partition(":")
    return f"{host}:{port or ('80' if name.is_plain_http else '443')}"


def _authorized(headers: Mapping[str, str], authorization: str) -> dict[str, str]:
    return {**headers, "Authorization": authorization} if authorization else dict(headers)


def _token(body: bytes) -> str:
    try:
        document = as_object(json.loads(body))
    except (ValueError, RecursionError):
        return ""
    token = as_text(document.get("token")) or as_text(document.get("access_token"))
    return token if token.isascii() and token.isprintable() and " " not in token else ""


def _blob_stream(answer: Answer, blob: Blob, start: int) -> BlobStream:
    """Check that an answer is the blob from `start` on, or all of it."""
    if answer.status == 416:
        # Its body is not read: some registries announce more of it than they send.
        raise TryAgain("the registry says that the file is shorter (HTTP 416)")
    if answer.is_compressed:
        raise _garbled(answer, "it sends compressed data, although asked for none")
    if answer.status == 200:
        start = 0
    else:
        text = str(answer.headers.get("Content-Range", ""))
        match = _CONTENT_RANGE.fullmatch(text)
        wanted = (str(start), str(blob.size_bytes - 1))
        if (
            match is None
            or (match[1], match[2]) != wanted
            or match[3]
            not in (
                "*",
                str(blob.size_bytes),
            )
        ):
            raise TryAgain(
                f"it sends another part of the file than asked for: {clean_line(text)!r}"
            )
    if answer.length not in (None, blob.size_bytes - start):
        raise TryAgain(
            f"it announces {answer.length} bytes and not the {blob.size_bytes - start} to come"
        )
    etag = str(answer.headers.get("ETag", ""))
    return BlobStream(answer, start, etag if etag.startswith('"') and len(etag) < 200 else "")


def _garbled(answer: Answer, why: str) -> ProviderGarbled:
    return ProviderGarbled(
        f"{answer.host.display} does not answer as a registry does",
        cause=why,
        actions=("Check the registry's address, and that no proxy changes what it sends.",),
    )
