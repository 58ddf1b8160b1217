"""An Ollama-compatible server with made-up models, for --demo, tests and screenshots.

Shares no code with the providers, so that it cannot share their mistakes.
"""
