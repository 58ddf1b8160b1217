"""See, fetch, inspect and route the language models on your own machine, in one screen."""

__version__ = "0.1.0"
