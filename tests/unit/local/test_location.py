"""Which store is chosen, and what can be done in it."""

from pathlib import Path

from ollm_tui.providers.local.location import locate_store


def test_the_setting_comes_before_the_environment_and_that_before_the_default(
    tmp_path: Path,
) -> None:
    found = locate_store(home=tmp_path, setting="/a", ollama_models="/b", candidates=())
    assert (found.path, found.source) == (Path("/a"), "the setting")
    found = locate_store(home=tmp_path, ollama_models="'/b'", candidates=())
    assert (found.path, found.source) == (Path("/b"), "OLLAMA_MODELS")
    found = locate_store(home=tmp_path, candidates=())
    assert (found.path, found.source) == (tmp_path / ".ollama" / "models", "the default")


def test_a_usual_place_with_models_comes_before_an_empty_home(tmp_path: Path) -> None:
    service = tmp_path / "service"
    (service / "manifests").mkdir(parents=True)
    found = locate_store(home=tmp_path, candidates=(tmp_path / "none", service))
    assert (found.path, found.source) == (service, "the Linux service")
    (tmp_path / ".ollama" / "models" / "manifests").mkdir(parents=True)
    assert locate_store(home=tmp_path, candidates=(service,)).source == "the default"


def test_a_tilde_means_home(tmp_path: Path) -> None:
    found = locate_store(home=tmp_path, ollama_models="~/models", candidates=())
    assert found.path == tmp_path / "models"


def test_a_store_still_to_be_made_is_writable_where_its_parent_is(tmp_path: Path) -> None:
    found = locate_store(home=tmp_path, candidates=())
    assert (found.exists, found.is_readable, found.is_writable) == (False, False, True)
    (tmp_path / "file").touch()
    found = locate_store(home=tmp_path, setting=str(tmp_path / "file"), candidates=())
    assert (found.exists, found.is_writable) == (False, False)
