"""Who is blamed for the death of a worker."""

from perdure.engine.suspects import DEATHS, Suspects

POISON = "exec-poison"


def test_three_deaths_condemn() -> None:
    suspects = Suspects()
    assert [suspects.died(POISON, 5, counts=True) for _ in range(DEATHS)] == [False, False, True]
    assert suspects.is_condemned(POISON)
    assert POISON not in suspects
    suspects.forget(POISON)
    assert not suspects.is_condemned(POISON)


def test_deaths_that_may_be_another_s_only_make_a_suspect() -> None:
    suspects = Suspects()
    for _ in range(10 * DEATHS):
        assert not suspects.died(POISON, 5, counts=False)
    assert POISON in suspects


def test_something_newly_recorded_clears() -> None:
    suspects = Suspects()
    suspects.died(POISON, 5, counts=True)
    suspects.died(POISON, 5, counts=True)
    assert not suspects.progressed(POISON, 5)
    assert suspects.progressed(POISON, 6)
    assert POISON not in suspects
    assert not suspects.died(POISON, 6, counts=True)


def test_a_death_of_which_the_record_is_not_known_counts_all_the_same() -> None:
    suspects = Suspects()
    suspects.died(POISON, 0, counts=True)
    suspects.died(POISON, 5, counts=True)
    assert suspects.died(POISON, 0, counts=True)


def test_who_is_doubted_three_times_is_a_suspect() -> None:
    suspects = Suspects()
    for _ in range(DEATHS - 1):
        suspects.doubt(POISON, 5)
    assert POISON not in suspects
    suspects.progressed(POISON, 6)
    for _ in range(DEATHS - 1):
        suspects.doubt(POISON, 6)
    assert POISON not in suspects
    suspects.doubt(POISON, 6)
    assert POISON in suspects
    assert not suspects.died(POISON, 6, counts=True)
