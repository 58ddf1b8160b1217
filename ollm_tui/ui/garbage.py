"""When Python looks for garbage: neither shall a key wait for that, nor memory fill up.

Until the first frame nothing is looked for at all, which `cli.main` sees to.
"""

import gc

SETTLED_S = 4.0
"""After the first frame; by then the first list and what is known of it are there to stay."""
WHILE_STARTING = (10_000, 4, 250)
"""Looking through ten thousand models that are just arriving holds a key up for long."""
SETTLED = (10_000, 4, 2)
"""Widgets refer to each other, so a closed dialog goes only when all is looked through. Done as
rarely as while starting, that took two thirds of a second, with 50 MiB of dialogs to let go of."""


def begin() -> None:
    """Look for garbage from now on, but never among what is there already."""
    gc.freeze()
    gc.set_threshold(*WHILE_STARTING)
    gc.enable()


def settle() -> None:
    """Let go of what is closed while it is little; what came with the start stays as well."""
    gc.freeze()
    gc.set_threshold(*SETTLED)
