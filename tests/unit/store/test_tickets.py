"""Which log writes failed is known, and remembered in bounded space."""

from perdure.store.sqlite import tickets
from perdure.store.sqlite.tickets import Tickets


def test_failed_tickets_are_told_from_those_on_disk() -> None:
    written = Tickets()
    written.settle(6, [2, 3, 5])
    written.settle(8, [7])
    written.wait(8)
    assert [ticket for ticket in range(1, 10) if written.failed(ticket)] == [2, 3, 5, 7]


def test_what_is_forgotten_counts_as_failed() -> None:
    written = Tickets()
    for ticket in range(2, 2 * tickets.RANGES_LIMIT + 3, 2):
        written.settle(ticket, [ticket])
    assert [ticket for ticket in range(1, 8) if written.failed(ticket)] == [2, 3, 4, 6]
