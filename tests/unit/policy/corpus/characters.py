"""Characters that end what they stand in, where it goes on to an engine, a server, a file or a terminal."""

from __future__ import annotations

from typing import Any

from tests.unit.policy.corpus.entry import Group, domain

# What the tables below hold is any JSON.
container: Any
check: Any
top: Any

CHARACTERS = Group("characters")

HTTP = {"type": "http", "port_key": "80"}
for name, check, rule in (
    ("a line end in the name of a header", {**HTTP, "headers": {"X-A\r\nHost: engine": "1"}}, "BadName"),
    ("a line end after the name of a header", {**HTTP, "headers": {"X-A\n": "1"}}, "BadName"),
    ("a colon in the name of a header", {**HTTP, "headers": {"X-A: b": "1"}}, "BadName"),
    ("a blank in the name of a header", {**HTTP, "headers": {"X A": "1"}}, "BadName"),
    ("a header without a name", {**HTTP, "headers": {"": "1"}}, "BadName"),
    ("letters of another script in the name of a header", {**HTTP, "headers": {"Hоst": "1"}}, "BadName"),
    ("a line end in a header", {**HTTP, "headers": {"X-A": "1\r\nHost: engine"}}, "InvalidValue"),
    ("a line end after a header", {**HTTP, "headers": {"X-A": "1\n"}}, "InvalidValue"),
    ("a NUL character in a header", {**HTTP, "headers": {"X-A": "1\0"}}, "InvalidValue"),
    ("a blank after a header", {**HTTP, "headers": {"X-A": "1 "}}, "InvalidValue"),
    ("a line end in a path that is asked for", {**HTTP, "path": "/a\r\nX-A: 1"}, "InvalidValue"),
    ("a blank in a path that is asked for", {**HTTP, "path": "/a HTTP/1.1"}, "InvalidValue"),
    ("another server in a path that is asked for", {**HTTP, "path": "@engine:2375/"}, "InvalidValue"),
    ("another method", {**HTTP, "method": "GET / HTTP/1.1\r\nX-A: 1\r\n\r\nPOST"}, "InvalidValue"),
    ("a method of two words", {**HTTP, "method": "POST /x"}, "InvalidValue"),
    ("a line end after a port", {**HTTP, "port_key": "80\n"}, "InvalidValue"),
    ("a NUL character in a command of a check", {"type": "exec", "command": ["a\0b"]}, "InvalidValue"),
    ("a NUL character in a line of a check", {"type": "exec", "command": "a\0b"}, "InvalidValue"),
):
    CHARACTERS.add(name, rule, {}, chunk={"health_check": check})
for name, container, rule in (
    ("a line end in a variable's name", {"environment": {"A\nLD_PRELOAD": "/x"}}, "BadName"),
    ("a line end in a variable's name in a list", {"environment": ["A\nLD_PRELOAD=/x"]}, "InvalidValue"),
    ("a sign of equality in a variable's name", {"environment": {"A=B": "c"}}, "InvalidValue"),
    ("a NUL character in a variable's name", {"environment": {"A\0": "c"}}, "InvalidValue"),
    ("a NUL character in a variable", {"environment": {"A": "c\0"}}, "InvalidValue"),
    ("an escape sequence in a label's name", {"labels": {"a\x1b[2J": "b"}}, "BadName"),
    ("a NUL character in a label's name", {"labels": {"a\0": "b"}}, "InvalidValue"),
    ("a line end in the name of an annotation", {"annotations": {"a\n": "b"}}, "BadName"),
    ("a line end in the name of a kernel setting", {"sysctls": {"net.core.somaxconn\n": "1"}}, "BadName"),
    ("a line end in a kernel setting", {"sysctls": {"net.core.somaxconn": "1\nkernel.x=2"}}, "InvalidValue"),
    ("a line end in a name for an address", {"extra_hosts": {"a\n127.0.0.1 bank": "10.0.0.1"}}, "BadName"),
    ("a line end in a name for an address in a list", {"extra_hosts": ["a\nb:10.0.0.1"]}, "InvalidValue"),
    ("a line end in a domain that is searched", {"dns_search": ["a\nnameserver 10.0.0.1"]}, "InvalidValue"),
    ("a line end in an option of the resolver", {"dns_opt": ["rotate\nnameserver 10.0.0.1"]}, "InvalidValue"),
    ("a NUL character in the name of a log option", {"logging": {"driver": "local", "options": {"a\0": "b"}}}, "BadName"),
    ("a line end in the name of a log driver", {"logging": {"driver": "local\n"}}, "InvalidValue"),
    ("a line end in a path", {"volumes": ["/srv/a\nb:/x"]}, "InvalidValue"),
    ("an escape sequence in a path", {"volumes": ["/srv/a\x1b[2Jb:/x"]}, "InvalidValue"),
    ("a line end in a path of memory", {"tmpfs": ["/x\n/y"]}, "InvalidValue"),
    ("a line end in the folder of work", {"working_dir": "/x\n"}, "InvalidValue"),
    ("a turn of direction in a user's name", {"user": "a\u202eb"}, "InvalidValue"),
    ("a turn of direction in a label's name", {"labels": {"a\u202eb": "c"}}, "BadName"),
    ("a line end in a group", {"group_add": ["1\n2"]}, "InvalidValue"),
    ("a line end in a control group", {"cgroup_parent": "a\nb"}, "InvalidValue"),
    ("a line end in a runtime", {"runtime": "runc\n"}, "InvalidValue"),
    ("a separator of lines in a path", {"volumes": ["/srv/a\u2028b:/x"]}, "InvalidValue"),
):  # fmt: skip
    CHARACTERS.add(name, rule, container)
for name, top, rule in (
    ("a line end in the name of a network's option", {"networks": {"n": {"driver_opts": {"a\n": "b"}}}}, "BadName"),
    ("a line end in the name of a network's label", {"networks": {"n": {"labels": {"a\n": "b"}}}}, "BadName"),
    ("a line end in a driver of volumes", {"volumes": {"data": {"driver": "local\n"}}}, "InvalidValue"),
    ("a NUL character in a volume's option", {"volumes": {"data": {"driver_opts": {"o": "a\0b"}}}}, "InvalidValue"),
    ("a line end in the path of a secret", {"secrets": {"s": {"file": "./shop/a\nb"}}}, "InvalidValue"),
):
    CHARACTERS.add(name, rule, {}, **top)
CHARACTERS.add(
    "a line end that a variable brings", "InvalidValue", domain({"working_dir": "/a${A}"}, env={"A": "\n/b"})
)
