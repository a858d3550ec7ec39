import logging

import pytest

from perdure.worker import records


def made(message: str = "text", *arguments: object, **more: object) -> logging.LogRecord:
    record = logging.LogRecord("name", logging.INFO, "file.py", 1, message, arguments, None)
    record.__dict__.update(more)
    return record


class Unshowable:
    def __str__(self) -> str:
        raise RuntimeError("no text")

    __repr__ = __str__


@pytest.mark.parametrize(
    ("number", "level"), [(20, "INFO"), (25, "INFO"), (30, "WARNING"), (40, "ERROR"), (50, "ERROR")]
)
def test_levels(number: int, level: str) -> None:
    assert records.level_of(number) == level


def test_arguments_that_do_not_fit_keep_the_line() -> None:
    line = records.made_from(made("%d of %d", 1), "exec-1", 5, "observe")
    assert line.message == "%d of %d (1,)"
    assert (line.execution_id, line.timestamp, line.task, line.batch) == (
        "exec-1",
        5,
        "observe",
        -1,
    )


def test_arguments_without_text_keep_the_line() -> None:
    line = records.made_from(made("%s", Unshowable()), "exec-1", 5, None)
    assert line.message.startswith("%s")


def test_long_messages_are_cut() -> None:
    line = records.made_from(made("x" * 70_000), "exec-1", 5, None)
    assert len(line.message) < 66_000
    assert line.message.endswith("(4,464 more characters)")


def test_a_plain_line_has_no_fields() -> None:
    assert records.fields_of(made()) is None


def test_fields_that_have_no_json_are_shown() -> None:
    assert records.fields_of(made(where=range(2))) == b'{"where":"range(0, 2)"}'
    assert records.fields_of(made(keys={(1, 2): 3})) is not None
    assert records.fields_of(made(bad=Unshowable())) is not None


def test_too_many_fields_are_named() -> None:
    assert records.fields_of(made(big="x" * 100_000)) == b'{"dropped":"100,010 bytes of fields"}'


def test_tracebacks_show_user_code_and_not_what_drives_it() -> None:
    def user_code() -> None:
        raise ValueError("inner")

    with pytest.raises(KeyError) as caught:  # noqa: PT012 - the two belong together
        try:
            user_code()
        except ValueError as error:
            raise KeyError("outer") from error
    text = records.traceback_of(caught.value)
    assert text is not None
    assert text.index("ValueError: inner") < text.index("KeyError: 'outer'")
    assert "user_code" in text


def test_long_tracebacks_keep_both_ends() -> None:
    text = records.traceback_of(ValueError("a" + "x" * 40_000 + "z"))
    assert text is not None
    assert len(text) < 17_000
    assert text.startswith("ValueError: ax")
    assert text.endswith("xz\n")
