"""What things are: models, names, progress, events, errors. Standard library only."""
