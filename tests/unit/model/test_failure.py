from perdure.model import failure as failures
from perdure.model.exceptions import FailedError, RaisedError


def test_a_failure_keeps_the_place_that_it_has() -> None:
    placed = failures.runtime("boom").at("/inner")
    assert placed.instance == "/inner"
    assert placed.at("/outer").instance == "/inner"


def test_long_details_are_bounded() -> None:
    detail = failures.runtime("x" * 20_000).detail
    assert len(detail) < 16_100
    assert detail.endswith("(4000 more characters)")


def test_a_failure_reads_as_title_and_detail() -> None:
    assert str(failures.runtime("boom", title="ValueError")) == "ValueError: boom"
    assert str(failures.timeout("")) == "Timed out"


def test_exceptions_read_as_their_failure() -> None:
    assert str(FailedError(failures.cancelled("by hand"))) == "Cancelled: by hand"
    assert str(RaisedError("no such city", title="Unknown")) == "no such city"
    assert str(RaisedError(title="Unknown")) == "Unknown"
