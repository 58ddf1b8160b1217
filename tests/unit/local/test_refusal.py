"""What to do about a registry that says no."""

from ollm_tui.core.name import parse_name
from ollm_tui.providers.local.auth import Credentials
from ollm_tui.providers.local.refusal import no_access

SECRET = "hunter2"


def test_a_private_model_of_ollamas_own_registry_needs_a_server_that_is_signed_in() -> None:
    """It takes no password, so that naming the setting would lead nowhere."""
    error = no_access(parse_name("me/private"), "HTTP 401", None)
    assert "ollama signin" in error.actions[0]
    assert "registries" not in error.actions[0]
    assert not error.retryable


def test_who_has_been_refused_by_name_is_told_so_without_the_password() -> None:
    name = parse_name("GHCR.io/me/private:v1")
    error = no_access(name, "HTTP 403", Credentials("me", SECRET, "GHCR_TOKEN"))
    assert "to this user" in error.message
    assert 'registries."ghcr.io".user' in error.actions[0]
    assert "GHCR_TOKEN" in error.actions[0]
    assert SECRET not in str(error) + error.actions[0]
    assert "to everybody" in no_access(name, "HTTP 403", None).message
