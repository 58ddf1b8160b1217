"""The option of the long fault suite."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--faults", choices=("short", "full"), default="short", help="how many faults to try"
    )


@pytest.fixture(scope="session")
def is_full(request: pytest.FixtureRequest) -> bool:
    """Whether to try as many faults as the bars ask for, which takes minutes."""
    return bool(request.config.getoption("--faults", default="short") == "full")
