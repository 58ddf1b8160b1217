"""What the user wants: every setting, merged from its sources, with its origin.

The only importer of yaml, and the only part whose data are pydantic models. Knows nothing of
routing or providers: profile names and pattern rules are handed to it.
"""
