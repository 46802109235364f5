"""The rules of the policy, one module a group: data."""
