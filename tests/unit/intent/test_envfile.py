"""Files of variables, read as Docker Compose 2.40 reads them (tried with `docker compose config`)."""

from __future__ import annotations

import pytest

from reconciler.intent.envfile import BadEnvFile, parse
from reconciler.intent.interpolation import Variables

OUTSIDE = Variables({"B": "outside"}, {"G": "given", "HIDDEN": "x"}, ("G",))


def read(text: str, *, raw: bool = False) -> dict[str, str]:
    return parse(text.encode(), OUTSIDE, raw=raw)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("A=1", {"A": "1"}),
        ("\ufeffA=1\r\nC=crlf\r\n", {"A": "1", "C": "crlf"}),
        ("export A=2 # note", {"A": "2"}),
        ("A=3#no", {"A": "3#no"}),
        ("A=#x\nC= #x\nD=x #", {"A": "#x", "C": "#x", "D": "x"}),
        ("A=\nC=\"\"\nD=''", {"A": "", "C": "", "D": ""}),
        ("  A  =  spaced out  ", {"A": "spaced out"}),
        ("A: yaml", {"A": "yaml"}),
        ("A=a=b", {"A": "a=b"}),
        ("A=it's", {"A": "it's"}),
        ("A=1\nA=2", {"A": "2"}),
        ("# c\n\n  # d\nA=1 \n#", {"A": "1"}),
        ('A="x\\ny\\tz \\"q\\" $$5" # c', {"A": 'x\ny\tz "q" $5'}),
        ('A="\\$B"', {"A": "$B"}),
        ("A='lit $B \\n'", {"A": "lit $B \\n"}),
        ("A='it\\'s'\r\n", {"A": "it's"}),
        ('A="multi\nline"\nC=1', {"A": "multi\nline", "C": "1"}),
        ("A=1\nB=own\nL=$A-${B}", {"A": "1", "B": "own", "L": "1-outside"}),
        ("A=${NOPE:-usual}", {"A": "usual"}),
        ("G\nHIDDEN\nNOPE", {"G": "given"}),
        ("com.example.a-b/c=1", {"com.example.a-b/c": "1"}),
        ("", {}),
    ],
)
def test_what_compose_reads_is_read(text: str, found: dict[str, str]) -> None:
    assert read(text) == found


@pytest.mark.parametrize("sign", ["\u200b", "\ufeff", "\x1b", "\u202e"])
def test_a_name_in_a_raw_file_has_no_character_that_nobody_sees(sign: str) -> None:
    with pytest.raises(BadEnvFile, match=r"line 2: .* in the name: take it out"):
        read(f"A=1\nB{sign}=2", raw=True)
    assert read(f"A={sign}", raw=True) == {"A": sign}


def test_a_raw_file_is_taken_as_it_is() -> None:
    assert read(' A=1 # c\nC="q" $X\n#z\nG\nNOPE\n', raw=True) == {"A": "1 # c", "C": '"q" $X', "G": "given"}


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("A=1\nA B=hush", 2),
        ('A=1\n\nC="hush\nD=1', 3),
        ('A="x\ny" hush', 2),
        ("A=1\nC=pa$hush", 2),
        ("A=pa${hush", 1),
        ("=hush", 1),
        ("A=1\nC=hu\0sh", 2),
    ],
)
def test_what_is_wrong_names_the_line_and_shows_no_value(text: str, line: int) -> None:
    with pytest.raises(BadEnvFile, match=f"line {line}:") as caught:
        read(text)
    assert "hush" not in str(caught.value)


def test_what_is_not_text_is_told() -> None:
    with pytest.raises(BadEnvFile, match="line 2: it is not UTF-8"):
        parse(b"A=1\nB=\xff\xfe", OUTSIDE)


def test_a_raw_line_without_a_name_is_told() -> None:
    with pytest.raises(BadEnvFile, match="line 2"):
        read("A=1\n=x", raw=True)


def test_a_large_file_is_read_at_once() -> None:
    text = "\n".join(f'KEY{n}="{"x" * 50}"' for n in range(10_000))
    assert len(read(text)) == 10_000
    with pytest.raises(BadEnvFile):
        read('A="' + "\\" * 300_000)


def test_a_reference_finds_the_containers_values_then_lines_above_then_earlier_files() -> None:
    before = {"A": "before", "B": "before", "C": "before"}
    found = parse(b"A=above\nB=above\nR=$A-$B-$C", Variables({}, {}, ()), own={"A": "own"}, before=before)
    assert found["R"] == "own-above-before"
