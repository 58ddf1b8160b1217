"""What the documents say is so."""

import re

from tests.readme import PARTS, README, rendered


def test_the_generated_parts_of_the_readme_are_current() -> None:
    text = README.read_text("utf-8")
    assert text == rendered(text), "run `make screenshots`"


def test_the_readme_has_every_generated_part() -> None:
    text = README.read_text("utf-8")
    assert [name for name in PARTS if f"<!-- {name} -->" not in text] == []


def test_the_pictures_of_the_readme_exist_and_name_no_outside_font_or_host() -> None:
    pictures = re.findall(r"!\[[^]]*\]\(([^)]+)\)", README.read_text("utf-8"))
    assert pictures
    for picture in pictures:
        svg = (README.parent / picture).read_text("utf-8")
        hosts = set(re.findall(r"https?://[^\s\"'<>)]+", svg))
        assert hosts == {"http://www.w3.org/2000/svg"}  # a name space, not an address
        assert "@font-face" not in svg


def test_two_commands_stand_on_the_first_screen() -> None:
    head = README.read_text("utf-8").splitlines()[:25]
    assert any(line.startswith("make run") for line in head)
    assert any(line.startswith("make test") for line in head)
