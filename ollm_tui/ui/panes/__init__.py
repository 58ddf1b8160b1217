"""The four panes, each with its stylesheet beside it."""
