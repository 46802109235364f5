"""Domain files of somebody hostile, each with the rule that must refuse it, and honest ones that must pass.

They go through what ``pnr validate`` and the daemon judge files with; docs/threat-model.md counts them by group.
"""
