"""What a domain may ask for: the rules, the profiles, and the judge. Pure.

A policy is a value for every rule of the table (:mod:`.table`), taken from a profile or a policy file
(:mod:`.reading`). The judge (:mod:`.judge`) holds requests to the Engine API against it, part by part
(:mod:`.checks`). Rules stand in the checks that look at them: to add one, add a row and look at its value.
"""

from reconciler.policy.judge import Judge
from reconciler.policy.model import Policy
from reconciler.policy.rule import Profile

__all__ = ["Judge", "Policy", "Profile"]
