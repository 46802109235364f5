"""The rows of the table of container settings, a module for each group of them. Data."""
