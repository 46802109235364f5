"""Sizes, lengths of time, ranges of ports and command lines: how people write them, and how others read them. Pure.

Each has a strict reading (``read``: domain files and policies) and, beside it, those of other programs, whose files and
options must mean here what they mean there (``read_as_compose``, ``read_as_go``, ``read_as_kernel``).

- :mod:`.sizes`: ``64m``
- :mod:`.durations`: ``1m30s``
- :mod:`.port_ranges`: ``8000-8002``
- :mod:`.command_lines`: ``sh -c "a b"``
"""
