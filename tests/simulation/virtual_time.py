"""Virtual time, as the program has it for its own rehearsals."""

from reconciler.daemon.rehearsal.virtual_time import DeadlockError, VirtualLoop, run

__all__ = ["DeadlockError", "VirtualLoop", "run"]
