"""What is seen: the Textual app. The only importer of textual, rich and humanize."""
