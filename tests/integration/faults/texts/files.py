"""Files that are not valid."""

from __future__ import annotations

from tests.integration.faults.texts.fault import Fault, Section, web

FILES = Section(
    "Files that are not valid",
    (
        Fault(
            "syntax-error",
            "A slip in the file's syntax",
            "{file} is not valid, …: expected a key in double quotes here",
            "Correct the file at that place",
            (),
            web(),
        ),
        Fault(
            "conflict-markers",
            "A merge conflict is left in the file",
            "{file} is not valid, …: an unresolved merge conflict",
            "Resolve the conflict in the file",
            (),
            web(),
        ),
        Fault(
            "variable-missing",
            "A variable has no value",
            "{file} is not valid, …: {variable} has no value",
            "Give the variable a value",
            (),
            web(variable="DB_HOST"),
        ),
        Fault(
            "one-name-in-two-files",
            "Two files declare one domain",
            "{file} is not valid, …: the domain {domain} is declared in {domain}.json already",
            "…ive …another name",
            (),
            web(file="shop_copy.json"),
        ),
        Fault(
            "policy-refuses",
            "The policy refuses it",
            "{file} is not valid, …: the policy refuses privileged: it is root on the host",
            '…policy.toml: [domain."{file}".security] privileged = true',
            (),
            web(),
        ),
    ),
)
