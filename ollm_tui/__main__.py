"""`python -m ollm_tui` is the `ollm-tui` command."""

from ollm_tui.cli.main import run

run()
