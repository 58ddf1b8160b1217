"""Addresses, read as Ollama reads OLLAMA_HOST; the rows are those of reference/ollama.md 1.1."""

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ollm_tui.core.error import ConfigError
from ollm_tui.providers.ollama_host import parse_host


@pytest.mark.parametrize(
    ("text", "base_url"),
    [
        ("", "http://127.0.0.1:11434"),
        ("example.com", "http://example.com:11434"),
        ("1.2.3.4:5", "http://1.2.3.4:5"),
        (":1234", "http://127.0.0.1:1234"),
        ("0.0.0.0", "http://127.0.0.1:11434"),
        ("0.0.0.0:80", "http://127.0.0.1:80"),
        ("::", "http://[::1]:11434"),
        ("[::]:80", "http://[::1]:80"),
        ("[fe80::1%eth0.5]:80", "http://[fe80::1%eth0.5]:80"),
        ("::1", "http://[::1]:11434"),
        ("[::1]", "http://[::1]:11434"),
        ("[::1]:5", "http://[::1]:5"),
        ("http://x", "http://x:80"),
        ("HTTP://x", "http://x:80"),
        ("https://x", "https://x:443"),
        ("https://x/path", "https://x:443/path"),
        ("x/path/", "http://x:11434/path"),
        ("x/", "http://x:11434"),
        ("http://", "http://127.0.0.1:80"),
        ("foo:bar", "http://foo:11434"),
        ("x:70000", "http://x:11434"),
        ("x:", "http://x:11434"),
        ("x:-1", "http://x:11434"),
        ("https://x:y", "https://x:443"),
        ("x:0", "http://x:0"),
        ("'1.2.3.4'", "http://1.2.3.4:11434"),
        ('  "example.com:1"  ', "http://example.com:1"),
        ("ollama.com", "https://ollama.com:443"),
        ("http://x/a b/%20ü", "http://x:80/a%20b/%20%C3%BC"),
        ("http://user:secret@x:1/p", "http://x:1/p"),
        ("/'/", "http://127.0.0.1:11434/%27"),
    ],
)
def test_an_address_is_read_as_ollama_reads_it(text: str, base_url: str) -> None:
    assert parse_host(text).base_url == base_url


@pytest.mark.parametrize(
    "text",
    [
        "tcp://x",
        "unix:///run/x",
        "a b",
        "x\x1b[31m",
        "a:b:c",
        "x?y",
        "<x>",
        "x\x9b",
        "\udcff",
        "a\u202eb",
        "::1%\x00",
        "[fe80::1%\x1b[2J]:80",
        "fe80::1%a b",
    ],
)
def test_an_address_that_no_client_can_reach_is_refused(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_host(text)
    assert caught.value.cause
    assert "OLLAMA_HOST" in caught.value.actions[0]


@pytest.mark.parametrize(
    ("text", "display"),
    [
        ("", "127.0.0.1:11434"),
        ("https://x/p", "https://x:443/p"),
        ("http://user:secret@x:1", "x:1"),
    ],
)
def test_people_see_the_address_without_what_is_usual_or_secret(text: str, display: str) -> None:
    assert parse_host(text).display == display


def test_credentials_are_kept_for_requests_and_never_printed() -> None:
    host = parse_host("http://us%40er:p%2Fw:x@example.com:1")
    assert (host.user, host.password) == ("us@er", "p/w:x")
    assert "p/w" not in repr(host) + host.display + host.base_url
    assert "us@er" not in repr(host)


@pytest.mark.parametrize(
    ("text", "loopback"),
    [
        ("", True),
        ("localhost", True),
        ("my.localhost:1", True),
        ("127.8.8.8", True),
        ("[::1]:1", True),
        ("0.0.0.0", True),
        ("192.168.0.1", False),
        ("localhost.example.com", False),
        ("https://ollama.com", False),
    ],
)
def test_it_is_known_whether_an_address_is_this_machine(text: str, loopback: bool) -> None:
    assert parse_host(text).is_loopback is loopback


def test_a_port_that_is_none_is_told_to_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        parse_host("us:secret/er@x:70000")
    assert "the port in the server's address is none; using 11434" in caplog.text
    assert "secret" not in caplog.text


@given(st.text(max_size=40) | st.text("ab1:/@[].%\" '", max_size=20))
def test_any_text_is_an_address_or_is_refused(text: str) -> None:
    try:
        host = parse_host(text)
    except ConfigError:
        return
    assert host.host
    assert 0 <= host.port <= 65535
    assert parse_host(host.base_url).base_url == host.base_url
