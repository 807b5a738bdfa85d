import pytest

from passport.devices.messages import COUNTER_MAX, READINGS_MAX, read
from passport.outcomes import Invalid

READING = b'{"type":"body-weight","time":"2026-10-01T07:00:00+09:00","value":72.50}'


def test_a_batch_is_read_with_its_numbers_as_written() -> None:
    message = read(b'{"counter":7,"readings":[%s]}' % READING)
    assert message.counter == 7
    assert str(message.readings[0]["value"]) == "72.50"


def test_the_largest_batch_is_read() -> None:
    message = read(b'{"counter":%d,"readings":[%s]}' % (COUNTER_MAX, b",".join([READING] * READINGS_MAX)))
    assert len(message.readings) == READINGS_MAX


@pytest.mark.parametrize(
    "counter", [b"0", b"-1", b"9007199254740993", b"1.0", b"1e3", b"true", b'"1"', b"null", b"NaN"]
)
def test_a_counter_that_is_no_positive_integer_is_refused(counter: bytes) -> None:
    with pytest.raises(Invalid):
        read(b'{"counter":%s,"readings":[%s]}' % (counter, READING))


@pytest.mark.parametrize("readings", [b"[]", b"{}", b"null", b"[1]", b"[[]]", b"[null]"])
def test_readings_that_are_no_list_of_objects_are_refused(readings: bytes) -> None:
    with pytest.raises(Invalid):
        read(b'{"counter":1,"readings":%s}' % readings)


def test_whoever_sends_no_object_is_told_what_a_message_looks_like() -> None:
    with pytest.raises(Invalid, match="expected an object such as"):
        read(b"[%s]" % READING)


def test_which_reading_is_no_object_is_told() -> None:
    with pytest.raises(Invalid) as refused:
        read(b'{"counter":1,"readings":[%s,null]}' % READING)
    assert refused.value.problems[0].expression == "readings[1]"


def test_a_member_that_is_missing_or_wrong_is_named() -> None:
    with pytest.raises(Invalid, match="got no `counter`, expected counter, readings"):
        read(b'{"readings":[%s]}' % READING)
    with pytest.raises(Invalid, match="got `reading`, expected no more than counter, readings"):
        read(b'{"counter":1,"reading":[%s]}' % READING)


def test_more_readings_than_a_batch_holds_are_refused() -> None:
    with pytest.raises(Invalid):
        read(b'{"counter":1,"readings":[%s]}' % b",".join([b"{}"] * (READINGS_MAX + 1)))


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"[]",
        b"{}",
        b'{"counter":1}',
        b'{"counter":1,"readings":[{}],"patient":"Patient/other"}',
        b'{"counter":1,"counter":2,"readings":[{}]}',
        b'{"counter":1,"readings":[%s]}' % (b'{"a":' * 9 + b"1" + b"}" * 9),
        b'\xef\xbb\xbf{"counter":1,"readings":[{}]}',
        b'{"counter":1,"readings":["\xff"]}',
    ],
)
def test_any_other_payload_is_refused(payload: bytes) -> None:
    with pytest.raises(Invalid):
        read(payload)
