"""Dialogs and full screens above the panes."""
