"""The simulated engine: see :mod:`.engine`; faults and their schedules: :mod:`.faults`."""

from reconciler.engine.simulated.engine import Call, SimulatedEngine
from reconciler.engine.simulated.fates import Fate
from reconciler.engine.simulated.faults import Fault, FaultSchedule, schedule
from reconciler.engine.simulated.networks_and_volumes import NotOurs

__all__ = ["Call", "Fate", "Fault", "FaultSchedule", "NotOurs", "SimulatedEngine", "schedule"]
