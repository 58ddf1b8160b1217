"""Which model fits: pure and synchronous; no I/O, clock or randomness."""
