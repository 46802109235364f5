"""Lines with the engine's times, put together from what it sends."""

from __future__ import annotations

from reconciler.engine.docker.following import Lines
from reconciler.engine.protocol import Printed

ONE = b"2026-01-01T00:00:00.000000001Z "
TWO = b"2026-01-01T00:00:01.5Z "
AT_ONE = 1_767_225_600_000_000_001
AT_TWO = 1_767_225_601_500_000_000


def fed(*parts: bytes) -> list[Printed]:
    lines = Lines()
    found = [line for part in parts for line in lines.feed(part)]
    return [*found, *lines.end()]


def test_each_message_is_a_line_with_its_time() -> None:
    assert fed(ONE + b"a\n", TWO + b"b c\n") == [Printed(AT_ONE, "a"), Printed(AT_TWO, "b c")]


def test_pieces_of_any_length_make_the_same_lines() -> None:
    whole = ONE + b"a\r\n" + TWO + b"b\r\n"
    for size in (1, 2, 7, 40, 100):
        parts = [whole[n : n + size] for n in range(0, len(whole), size)]
        assert fed(*parts) == [Printed(AT_ONE, "a"), Printed(AT_TWO, "b")]


def test_a_line_in_several_messages_has_the_time_of_the_first() -> None:
    assert fed(ONE + b"long ", TWO + b"line\n") == [Printed(AT_ONE, "long line")]


def test_a_rest_at_the_end_is_a_line_and_a_line_without_time_or_text_harms_nothing() -> None:
    assert fed(ONE + b"prompt: ") == [Printed(AT_ONE, "prompt: ")]
    assert fed(b"no time\n") == [Printed(0, "no time")]
    assert fed(ONE + b"\xff\n") == [Printed(AT_ONE, "�")]
    assert fed(ONE + b"\n") == [Printed(AT_ONE, "")]
