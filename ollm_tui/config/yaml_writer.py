"""Plain data as YAML text, for people to paste; files are edited in place, see `edit`."""


def as_yaml(data: object) -> str:
    """A document in block style, keys in the order given, non-ASCII letters as they are."""
    import yaml

    return str(yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=100))
