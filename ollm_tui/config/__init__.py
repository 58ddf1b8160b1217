"""What the user wants: every setting, merged from its sources, with its origin.

The only importer of yaml.
"""
