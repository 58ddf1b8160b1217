"""A model store without a server: read on disk, and filled straight from a registry."""
