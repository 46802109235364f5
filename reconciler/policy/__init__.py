"""What a domain may ask for: the rules, the profiles, and the judge. Pure.

A policy is a value for every rule of the table (:mod:`.rules`), taken from a profile or a policy file
(:mod:`.reading`). The judge (:mod:`.judge`) holds requests to the Engine API against it, part by part
(:mod:`.checks`). To add a rule, add a row to a table and look at its value in the check that it belongs to.
"""

from reconciler.policy.judge import Judge
from reconciler.policy.model import Policy
from reconciler.policy.rule import Profile

__all__ = ["Judge", "Policy", "Profile"]
