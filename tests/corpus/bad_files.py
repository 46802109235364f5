"""Bad domain files, each with every problem that must be found in it, and where.

In a text, ``§`` stands before each place that must be reported, in the order of the file; it is not part of the file.
``CASES`` is for whoever wants to throw bad input at something.
"""

from __future__ import annotations

from dataclasses import dataclass

P = "cpuxs.main.design_chunks[0]"
C = f"{P}.container"
H = f"{P}.health_check"

Expected = tuple[str, int, int, str]


@dataclass(frozen=True)
class BadFile:
    """A bad file: its bytes, and each problem as (code, line, column, path)."""

    name: str
    data: bytes
    expected: tuple[Expected, ...]


CASES: list[BadFile] = []


def case(name: str, text: str, *problems: tuple[str, str]) -> None:
    """A file as text with marks; each problem is (code, path)."""
    places = []
    clean = ""
    for part in text.split("§"):
        clean += part
        places.append((clean.count("\n") + 1, len(clean) - clean.rfind("\n")))
    places.pop()
    assert len(places) == len(problems), name
    expected = tuple((code, line, column, path) for (code, path), (line, column) in zip(problems, places, strict=True))
    CASES.append(BadFile(name, clean.encode(), expected))


def raw(name: str, data: bytes, *expected: Expected) -> None:
    """A file as bytes."""
    CASES.append(BadFile(name, data, expected))


def domain(inside: str) -> str:
    return '{"name": "d", "cpuxs": {"main": {"design_chunks": [\n  ' + inside + "\n]}}}\n"


def chunk(more: str = "", *, flowout: str = "{}") -> str:
    return domain(f'{{"name": "a", "container": {{"image": "x"}}, "flowout": {flowout}{", " if more else ""}{more}}}')


def container(more: str) -> str:
    return domain(f'{{"name": "a", "container": {{"image": "x", {more}}}}}')


def check(more: str) -> str:
    return chunk(f'"health_check": {{"type": "tcp", "port_key": 80, {more}}}', flowout='{"up": {}}')


# --- not strict JSON

case("empty", "§", ("Empty", ""))
case("blank", "§ \n\t\n", ("Empty", ""))
case(
    "truncated in an object",
    '{"name": "d", "cpuxs": {"main": {"design_chunks": [{"name": "a",§',
    ("Truncated", P),
)
case("truncated in a string", '{"name": §"sho', ("Truncated", "name"))
case("truncated after a colon", '{"name": "d",\n "cpuxs":§', ("Truncated", "cpuxs"))
case("no closing brace", '{"name": "d"\n§', ("Truncated", "name"))
case("trailing comma in an object", '{"name": "d",\n§}', ("Syntax", ""))
case("trailing comma in a list", '{"name": "d", "cpuxs": [1, §]}', ("Syntax", "cpuxs[1]"))
case("single quotes", "{§'name': 'd'}", ("Syntax", ""))
case("a comment", '§// a shop\n{"name": "d"}', ("Syntax", ""))
case("missing comma", '{"name": "d"\n §"cpuxs": {}}', ("Syntax", "name"))
case("missing colon", '{"name" §"d"}', ("Syntax", "name"))
case("two documents", '{"name": "d"}\n§{"name": "e"}', ("Syntax", ""))
case("yaml", "§name: d\ncpuxs:\n  main: {}\n", ("Syntax", ""))
case("python words", '{"name": §None}', ("Syntax", "name"))
case("unknown escape", r'{"name": "d§\x41"}', ("Syntax", "name"))
case("short unicode escape", r'{"name": "\§u12"}', ("Syntax", "name"))
case("hexadecimal number", '{"name": "d", "a": 0§x10}', ("Syntax", "a"))
case("leading zero", '{"name": "d", "a": 0§12}', ("Syntax", "a"))
case("newline in a string", '{"name": "d§\n"}', ("ControlCharacter", "name"))
case("NUL in a string", '{"name": "d§\0"}', ("ControlCharacter", "name"))
case("escape character in a string", '{"name": "d§\x1b[31m"}', ("ControlCharacter", "name"))
case(
    "merge conflict",
    '{"name": "d",\n§<<<<<<< HEAD\n "cpuxs": {}\n=======\n "cpuxs": {"a": {}}\n>>>>>>> theirs\n}',
    ("MergeConflict", ""),
)
case(
    "duplicate keys, NaN and infinity at once",
    '{"name": "d", "a": {"b": 1, §"b": 2}, "c": §NaN, "d": [§-Infinity, §Infinity, §1e999],\n §"name": "e"}',
    ("DuplicateKey", "a.b"),
    ("NotANumber", "c"),
    ("NotANumber", "d[0]"),
    ("NotANumber", "d[1]"),
    ("NotANumber", "d[2]"),
    ("DuplicateKey", "name"),
)
case("keys equal once unescaped", r'{"name": "d", §"n\u0061me": "e"}', ("DuplicateKey", "name"))
case(
    "lone surrogates",
    r'{"name": §"\ud800", §"\udfff": 1, "a": [§"x\uDC00y"], "fine": "\ud83d\ude00"}',
    ("LoneSurrogate", "name"),
    ("LoneSurrogate", r'["\udfff"]'),
    ("LoneSurrogate", "a[0]"),
)
raw("byte-order mark", b"\xef\xbb\xbf" + b'{"name": "d"}', ("ByteOrderMark", 1, 1, ""))
raw("UTF-16 with a mark", '{"name": "d"}'.encode("utf-16"), ("NotUtf8", 1, 1, ""))
raw("UTF-16 little-endian", '{"name": "d"}'.encode("utf-16-le"), ("NotUtf8", 1, 1, ""))
raw("UTF-16 big-endian", '{"name": "d"}'.encode("utf-16-be"), ("NotUtf8", 1, 1, ""))
raw("UTF-32", '{"name": "d"}'.encode("utf-32"), ("NotUtf8", 1, 1, ""))
raw("Latin-1", '{\n "name": "é"}'.encode("latin-1"), ("NotUtf8", 2, 11, ""))
raw("surrogate in UTF-8", b'{"name": "\xed\xa0\x80"}', ("NotUtf8", 1, 11, ""))
raw("overlong UTF-8", b'{"name": "\xc0\xaf"}', ("NotUtf8", 1, 11, ""))
raw("cut in a character", b'{"name": "\xe2\x82', ("NotUtf8", 1, 11, ""))
raw("zeros", bytes(4096), ("NotUtf8", 1, 1, ""))
raw("gzip", bytes.fromhex("1f8b0800000000000003"), ("NotUtf8", 1, 2, ""))
raw("ELF", b"\x7fELF\x02\x01\x01", ("Syntax", 1, 1, ""))
raw("depth 33", b"[" * 33 + b"]" * 33, ("TooDeep", 1, 33, "[0]" * 32))
raw("depth 100,000 of lists", b"[" * 100_000, ("TooDeep", 1, 33, "[0]" * 32))
raw("depth 100,000 of objects", b'{"a":' * 100_000, ("TooDeep", 1, 161, ".".join("a" * 32)))
raw("depth behind a bracket in a string", b'{"]":' * 40, ("TooDeep", 1, 161, '["]"]' * 32))
raw("number of 5,000 digits", b'{"name":\n ' + b"9" * 5000 + b"}", ("NumberTooLong", 2, 2, "name"))
raw("number of 401 digits", b'{"name": -' + b"1" * 400 + b"}", ("NumberTooLong", 1, 10, "name"))
raw("exponent of 5,000 digits", b"[0, 1e" + b"9" * 5000 + b"]", ("NumberTooLong", 1, 5, "[1]"))
raw("10 MiB", b'{"name": "' + b"a" * 10 * 1024 * 1024 + b'"}', ("TooLarge", 0, 0, ""))
raw("10 MiB of brackets", b"[" * 10 * 1024 * 1024, ("TooLarge", 0, 0, ""))
raw("one byte over 1 MiB", b" " * 1024 * 1024 + b"1", ("TooLarge", 0, 0, ""))

# --- another shape than a domain

case("a list", "§[]", ("WrongType", ""))
case("a string", '\n§"domain"', ("WrongType", ""))
case("null", "§null", ("WrongType", ""))
case("an empty object", "§{}", ("MissingKey", ""))
CASES[-1] = BadFile("an empty object", b"{}", (("MissingKey", 1, 1, ""), ("MissingKey", 1, 1, "")))
case("no cpuxs", '§{"name": "d"}', ("MissingKey", ""))
case("no name", "§" + chunk().replace('"name": "d", ', ""), ("MissingKey", ""))
case("no CPUX", '{"name": "d", "cpuxs": §{}}', ("NothingDeclared", "cpuxs"))
case("no chunk", '{"name": "d", "cpuxs": §{"a": {}, "b": {"design_chunks": []}}}', ("NothingDeclared", "cpuxs"))
case("cpuxs a list", '{"name": "d", "cpuxs": §[]}', ("WrongType", "cpuxs"))
case("a CPUX of null", '{"name": "d", "cpuxs": {"main": §null}}', ("WrongType", "cpuxs.main"))
case(
    "chunks as a map",
    '{"name": "d", "cpuxs": {"main": {"design_chunks": §{"a": {}}}}}',
    ("WrongType", "cpuxs.main.design_chunks"),
)
case("a chunk of text", domain('§"a"'), ("WrongType", P))
case("a chunk without a container", domain('§{"name": "a"}'), ("MissingKey", P))
case("a container without an image", domain('{"name": "a", "container": §{}}'), ("MissingKey", C))
case("env a list", '{"name": "d", "env": §["A=1"],' + chunk()[14:], ("WrongType", "env"))

# --- names

for number, name in enumerate(
    ("", "a/b", "../x", ".hidden", "-x", "a b", "é", r"a\u0000b", r"a\u001b[31m", r"a\nb", "x" * 64)
):
    case(f"name of a domain {number}", chunk().replace('"d"', f'§"{name}"'), ("BadName", "name"))
case("domain name a number", chunk().replace('"d"', "§5"), ("WrongType", "name"))
case("CPUX with a slash", chunk().replace('"main"', '§"a/b"'), ("BadName", 'cpuxs["a/b"]'))
case("CPUX with a control character", chunk().replace('"main"', r'§"a\u0007"'), ("BadName", r'cpuxs["a\u0007"]'))
case("chunk with a slash", chunk().replace('"a"', '§"a/b"'), ("BadName", f"{P}.name"))
case("chunk with a NUL", chunk().replace('"a"', r'§"a\u0000"'), ("BadName", f"{P}.name"))
case(
    "two chunks of one name",
    domain('{"name": "a", "container": {"image": "x"}}, {"name": §"a", "container": {"image": "x"}}'),
    ("DuplicateName", "cpuxs.main.design_chunks[1].name"),
)
case("container with a slash", container('"name": §"a/b"'), ("BadName", f"{C}.name"))
case("container of one letter", container('"name": §"a"'), ("BadName", f"{C}.name"))
case("image in capitals", container('"name": "ab"').replace('"x"', '§"Redis"'), ("BadName", f"{C}.image"))
case("image with a blank", container('"name": "ab"').replace('"x"', '§"redis :7"'), ("BadName", f"{C}.image"))
case("image empty", container('"name": "ab"').replace('"x"', '§""'), ("BadName", f"{C}.image"))
case("fact with a blank", chunk('"gatekeeper": {§"is ready": {}}'), ("BadName", f'{P}.gatekeeper["is ready"]'))
case("fact of four parts", chunk('"gatekeeper": {§"a/b/c/d": {}}'), ("BadName", f'{P}.gatekeeper["a/b/c/d"]'))
case("fact of an empty part", chunk('"gatekeeper": {§"a//b": {}}'), ("BadName", f'{P}.gatekeeper["a//b"]'))
case("flowout of another CPUX", chunk(flowout='{§"other/up": {}}'), ("BadName", f'{P}.flowout["other/up"]'))
case("flowout of pnr itself", chunk(flowout='{§"system_ready": {}}'), ("BadName", f"{P}.flowout.system_ready"))
case("network with a slash", chunk()[:-2] + ', "networks": {§"a/b": null}}', ("BadName", 'networks["a/b"]'))
case("volume with a slash", chunk()[:-2] + ', "volumes": {§"a/b": null}}', ("BadName", 'volumes["a/b"]'))

# --- unknown keys

case("unknown key at the top", chunk()[:-2] + ', §"cpux": {}}', ("UnknownKey", "cpux"))
case("unknown key in a CPUX", '{"name": "d", "cpuxs": {"main": {§"chunks": []}}}', ("UnknownKey", "cpuxs.main.chunks"))
CASES[-1] = BadFile(
    "unknown key in a CPUX",
    CASES[-1].data,
    (("NothingDeclared", 1, 24, "cpuxs"), ("UnknownKey", 1, 34, "cpuxs.main.chunks")),
)
case("unknown key in a chunk", chunk('§"gate_keeper": {}'), ("UnknownKey", f"{P}.gate_keeper"))
case("unknown key in a container", container('§"volums": []'), ("UnknownKey", f"{C}.volums"))
case("unknown key in a fact", chunk(flowout='{"up": {§"promt": "?"}}'), ("UnknownKey", f"{P}.flowout.up.promt"))
case("unknown key in an update", chunk('"update": {§"order": "start-first"}'), ("UnknownKey", f"{P}.update.order"))
case("unknown key in a health check", check('§"intervall_seconds": 3'), ("UnknownKey", f"{H}.intervall_seconds"))
case(
    "unknown key in a status mapping",
    check('"status_mapping": {§"sucess": {}}'),
    ("UnknownKey", f"{H}.status_mapping.sucess"),
)
case("unknown key with a control character", chunk(r'§"a\u001b": 1'), ("UnknownKey", P + r'["a\u001b"]'))

# --- wrong types and values out of range

case("tv a word", chunk(flowout='{"up": {"tv": §"yes"}}'), ("InvalidValue", f"{P}.flowout.up.tv"))
case("tv a boolean", chunk(flowout='{"up": {"tv": §true}}'), ("WrongType", f"{P}.flowout.up.tv"))
case("response a number", chunk(flowout='{"up": {"response": §1}}'), ("WrongType", f"{P}.flowout.up.response"))
case(
    "response with null",
    chunk(flowout='{"up": {"response": ["a", §null]}}'),
    ("InvalidValue", f"{P}.flowout.up.response[1]"),
)
case("prompt a list", chunk(flowout='{"up": {"prompt": §["?"]}}'), ("InvalidValue", f"{P}.flowout.up.prompt"))
case("fact a string", chunk('"gatekeeper": {"up": §"Y"}'), ("WrongType", f"{P}.gatekeeper.up"))
case("gatekeeper a list", chunk('"gatekeeper": §["up"]'), ("WrongType", f"{P}.gatekeeper"))
case("kind unknown", chunk('"kind": §"cron"'), ("InvalidValue", f"{P}.kind"))
case("facts a word", chunk('"facts": §"true"'), ("InvalidValue", f"{P}.facts"))
case("on_gate_close unknown", chunk('"on_gate_close": §"pause"'), ("InvalidValue", f"{P}.on_gate_close"))
case("strategy unknown", chunk('"strategy": §"rolling"'), ("InvalidValue", f"{P}.strategy"))
case("on_failure unknown", chunk('"update": {"on_failure": §"retry"}'), ("InvalidValue", f"{P}.update.on_failure"))
case("update a string", chunk('"update": §"stop-first"'), ("WrongType", f"{P}.update"))
case("port out of range", container('"ports": [§"70000:80"]'), ("InvalidValue", f"{C}.ports[0]"))
case(
    "port zero",
    container('"ports": {§"0": "80"}').replace("§", "").replace('"80"}', '§"80"}'),
    ("InvalidValue", f"{C}.ports.0"),
)
case("ports a string", container('"ports": §"80:80"'), ("InvalidValue", f"{C}.ports"))
case("memory too small", container('"mem_limit": §"1k"'), ("InvalidValue", f"{C}.mem_limit"))
case("memory negative", container('"mem_limit": §-1'), ("InvalidValue", f"{C}.mem_limit"))
case("no processors", container('"cpus": §0'), ("InvalidValue", f"{C}.cpus"))
case("restart unknown", container('"restart": §"sometimes"'), ("InvalidValue", f"{C}.restart"))
case("capability unknown", container('"cap_add": ["NET_ADMIN", §"FLY"]'), ("InvalidValue", f"{C}.cap_add[1]"))
case("read_only a word", container('"read_only": §"true"'), ("InvalidValue", f"{C}.read_only"))
case("command with a shell operator", container('"command": §"a && b"'), ("InvalidValue", f"{C}.command"))
case("environment with a NUL", container(r'"environment": {"A": §"x\u0000"}'), ("InvalidValue", f"{C}.environment.A"))
case(
    "label of pnr",
    container('"labels": {§"io.pnr.domain": "x"}').replace("§", "").replace('"x"}}', '§"x"}}'),
    ("InvalidValue", f'{C}.labels["io.pnr.domain"]'),
)
case("working_dir relative", container('"working_dir": §"app"'), ("InvalidValue", f"{C}.working_dir"))
case("volume without a target", container('"volumes": [§"./data:"]'), ("InvalidValue", f"{C}.volumes[0]"))
case("volume at home", container('"volumes": [§"~/data:/data"]'), ("InvalidValue", f"{C}.volumes[0]"))
case("stop_signal unknown", container('"stop_signal": §"SIGNOTHING"'), ("InvalidValue", f"{C}.stop_signal"))
case("stop_grace_period a number", container('"stop_grace_period": §10'), ("InvalidValue", f"{C}.stop_grace_period"))
case("hostname with a blank", container('"hostname": §"a b"'), ("InvalidValue", f"{C}.hostname"))
case(
    "healthcheck interval",
    container('"healthcheck": {"interval": §"5 apples"}'),
    ("InvalidValue", f"{C}.healthcheck.interval"),
)
case("pull_policy unknown", container('"pull_policy": §"dayly"'), ("InvalidValue", f"{C}.pull_policy"))
case("build_path empty", container('"build_path": §""'), ("InvalidValue", f"{C}.build_path"))
case("build_path with a NUL", container(r'"build_path": §"a\u0000"'), ("InvalidValue", f"{C}.build_path"))
case("networks a string", container('"networks": §"default"'), ("WrongType", f"{C}.networks"))
case(
    "aliases a string",
    container('"networks": {"default": {"aliases": §"db"}}'),
    ("InvalidValue", f"{C}.networks.default.aliases"),
)
case("check without a type", chunk('"health_check": §{"port_key": 80}'), ("MissingKey", H))
case(
    "check of an unknown type",
    chunk('"health_check": {"type": §"tpc", "port_key": 80}'),
    ("UnknownCheckType", f"{H}.type"),
)
case("check without a port", chunk('"health_check": §{"type": "tcp"}'), ("MissingKey", H))
case(
    "port_key out of range",
    chunk('"health_check": {"type": "tcp", "port_key": §65536}'),
    ("InvalidValue", f"{H}.port_key"),
)
case(
    "port_key a name", chunk('"health_check": {"type": "tcp", "port_key": §"http"}'), ("InvalidValue", f"{H}.port_key")
)
for key, value in (
    ("interval_seconds", "0"),
    ("timeout_seconds", "0"),
    ("timeout_seconds", "3601"),
    ("timeout_seconds", "-1"),
    ("timeout_seconds", "1e300"),
    ("timeout_seconds", "9" * 400),
    ("failure_threshold", "0"),
    ("success_threshold", "1001"),
    ("start_period_seconds", "-0.5"),
    ("deadline_seconds", "0"),
):
    case(f"{key} {value[:9]}", check(f'"{key}": §{value}'), ("OutOfRange", f"{H}.{key}"))
case("timeout a string", check('"timeout_seconds": §"2"'), ("WrongType", f"{H}.timeout_seconds"))
case("threshold a fraction", check('"failure_threshold": §1.5'), ("WrongType", f"{H}.failure_threshold"))
case("threshold a boolean", check('"failure_threshold": §true'), ("WrongType", f"{H}.failure_threshold"))
case(
    "http over udp",
    chunk('"health_check": {"type": "http", "port_key": §"80/UDP"}'),
    ("InvalidValue", f"{H}.port_key"),
)
HTTP = '"health_check": {"type": "http", "port_key": 80, '
case("http code out of range", chunk(HTTP + '"expected_code": §99}'), ("InvalidValue", f"{H}.expected_code"))
case("http code in a list", chunk(HTTP + '"expected_code": [200, §"2x"]}'), ("InvalidValue", f"{H}.expected_code[1]"))
case("http path relative", chunk(HTTP + '"path": §"health"}'), ("InvalidValue", f"{H}.path"))
case("http path with a newline", chunk(HTTP + r'"path": §"/a\n"}'), ("InvalidValue", f"{H}.path"))
case("http pattern broken", chunk(HTTP + '"body_regex": §"("}'), ("InvalidValue", f"{H}.body_regex"))
case("http tls_verify a word", chunk(HTTP + '"tls_verify": §"no"}'), ("WrongType", f"{H}.tls_verify"))
case("exec without a command", chunk('"health_check": §{"type": "exec"}'), ("MissingKey", H))

# --- what takes two places to see

case(
    "mapping of a fact not in flowout",
    check('"status_mapping": {"success": {"key": §"upp"}}'),
    ("NotInFlowout", f"{H}.status_mapping.success.key"),
)
case(
    "mapping without a key",
    check('"status_mapping": {"failure": §{"tv": "N"}}'),
    ("MissingKey", f"{H}.status_mapping.failure"),
)
case(
    "mapping twice",
    check('"status_mapping": {"failure": [{"key": "up"}, {"key": §"up"}]}'),
    ("Conflict", f"{H}.status_mapping.failure[1].key"),
)
case(
    "start-first with a name",
    domain('{"name": "a", "container": {"image": "x", "name": "ab"}, "strategy": §"start-first"}'),
    ("Conflict", f"{P}.strategy"),
)
case(
    "start-first with a host port",
    domain('{"name": "a", "container": {"image": "x", "ports": ["8:8"]}, "update": {"strategy": §"start-first"}}'),
    ("Conflict", f"{P}.update.strategy"),
)
case(
    "strategy said twice",
    chunk('"update": {"strategy": "auto"}, "strategy": §"stop-first"'),
    ("Conflict", f"{P}.strategy"),
)
case(
    "facts false and type fact", chunk('"health_check": {"type": "fact"}, "facts": §false'), ("Conflict", f"{P}.facts")
)
case("network not declared", container('"networks": ["default", §"backend"]'), ("UnknownNetwork", f"{C}.networks[1]"))
case(
    "network not declared, in a map",
    container('"networks": {§"backend": null}'),
    ("UnknownNetwork", f"{C}.networks.backend"),
)
case(
    "external network with a driver",
    chunk()[:-2] + ', "networks": {"n": {"external": true, "driver": §"bridge"}}}',
    ("Conflict", "networks.n.driver"),
)
case(
    "external volume with labels",
    chunk()[:-2] + ', "volumes": {"n": {"external": true, "labels": §{"a": "b"}}}}',
    ("Conflict", "volumes.n.labels"),
)
case("env against environment", container('"environment": {"A": "1"}, "env": §["A=2"]'), ("Conflict", f"{C}.env"))
case("flowin of one variable twice", chunk('"flowin": {"a/db": {}, §"b/db": {}}'), ("Conflict", f'{P}.flowin["b/db"]'))

# --- variables

case("variable without a value", chunk('"description": §"${NOT_SET}"'), ("MissingVariable", f"{P}.description"))
case("variable not allowed", chunk('"description": §"${HOME}"'), ("MissingVariable", f"{P}.description"))
case("variable required", chunk('"description": §"${NOT_SET:?set it}"'), ("MissingVariable", f"{P}.description"))
case("variable never closed", chunk('"description": §"${NOT_SET"'), ("BadInterpolation", f"{P}.description"))
case("variable without a name", chunk('"description": §"${}"'), ("BadInterpolation", f"{P}.description"))
case("a lone dollar sign", chunk('"description": §"5 $"'), ("BadInterpolation", f"{P}.description"))
case("an unknown operator", chunk('"description": §"${A=b}"'), ("BadInterpolation", f"{P}.description"))
case(
    "a map as a value",
    '{"name": "d", "env": {"m": {"a": 1}}, "description": §"${m}",' + chunk()[14:],
    ("BadInterpolation", "description"),
)
case("nested without end", chunk('"description": §"' + "${A:-" * 1000 + '"'), ("BadInterpolation", f"{P}.description"))
case(
    "variable that grows without end",
    '{"name": "d", "env": {"A": "' + "x" * 100_000 + '"}, "description": §"' + "$A" * 1000 + '",' + chunk()[14:],
    ("TooLarge", "description"),
)
case(
    "a missing variable has no consequences",
    check('"timeout_seconds": §"${TIME}"').replace('"image": "x"', '"image": §"${IMAGE}", "ports": [§"${PORT}:80"]'),
    ("MissingVariable", f"{C}.image"),
    ("MissingVariable", f"{C}.ports[0]"),
    ("MissingVariable", f"{H}.timeout_seconds"),
)

# --- everything at once, in the order of the file

case(
    "many things at once",
    """{
  "name": §"my shop",
  §"cpus": 1,
  "cpuxs": {
    "main": {
      "rt_state": {"a": {"tv": §"maybe"}},
      "design_chunks": [
        §{
          "name": "db",
          "flowout": {"up": {}},
          "health_check": {
            "type": "tcp",
            "port_key": §"0",
            "timeout_seconds": §0,
            "status_mapping": {"success": {"key": §"upp"}},
            §"path": "/"
          }
        },
        {
          "name": §"db",
          "container": {"image": §"Web", "ports": [§"x", "80", §"99999:1"], "networks": [§"lan"]},
          "gatekeeper": {"up": {"response": §1}}
        }
      ]
    }
  }
}
""",
    ("BadName", "name"),
    ("UnknownKey", "cpus"),
    ("InvalidValue", "cpuxs.main.rt_state.a.tv"),
    ("MissingKey", P),
    ("InvalidValue", f"{H}.port_key"),
    ("OutOfRange", f"{H}.timeout_seconds"),
    ("NotInFlowout", f"{H}.status_mapping.success.key"),
    ("UnknownKey", f"{H}.path"),
    ("DuplicateName", "cpuxs.main.design_chunks[1].name"),
    ("BadName", "cpuxs.main.design_chunks[1].container.image"),
    ("InvalidValue", "cpuxs.main.design_chunks[1].container.ports[0]"),
    ("InvalidValue", "cpuxs.main.design_chunks[1].container.ports[2]"),
    ("UnknownNetwork", "cpuxs.main.design_chunks[1].container.networks[0]"),
    ("WrongType", "cpuxs.main.design_chunks[1].gatekeeper.up.response"),
)
