"""A data file of real model names to pull, and its reader."""
