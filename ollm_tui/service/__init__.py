"""What happens: the async service that screen and verbs talk to. Knows nothing of Textual."""
