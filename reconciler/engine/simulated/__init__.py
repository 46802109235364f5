"""The simulated engine: see :mod:`.engine`; faults and their schedules: :mod:`.faults`."""

from reconciler.engine.simulated.belongings import NotOurs
from reconciler.engine.simulated.engine import Call, SimulatedEngine
from reconciler.engine.simulated.fates import Fate
from reconciler.engine.simulated.faults import Fault, FaultSchedule, schedule

__all__ = ["Call", "Fate", "Fault", "FaultSchedule", "NotOurs", "SimulatedEngine", "schedule"]
