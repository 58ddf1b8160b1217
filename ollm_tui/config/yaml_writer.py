"""Plain data as YAML text, for people to paste; files are edited in place, see `edit`."""

from ollm_tui.core.text import is_visible


def as_yaml(data: object) -> str:
    """A document in block style, keys in the order given, non-ASCII letters as they are.

    What nobody would see, or what a terminal obeys, is escaped: a text that was made to look like
    another one must not be pasted unnoticed.
    """
    import yaml

    class Dumper(yaml.SafeDumper):
        """Quotes what has to be escaped, which a plain scalar cannot hold."""

    def quoted(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
        style = None if all(map(is_visible, text)) else '"'
        return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)

    Dumper.add_representer(str, quoted)
    written = yaml.dump(data, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=100)
    return "".join(
        letter if letter == "\n" or is_visible(letter) else f"\\U{ord(letter):08x}"
        for letter in written
    )
