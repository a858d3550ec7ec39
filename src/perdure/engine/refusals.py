"""Refusals that several services have in common."""

from perdure.ports.runtime import RefusedError


def unknown_execution(execution_id: str) -> RefusedError:
    """There is no such execution."""
    return RefusedError("unknown_execution", f"there is no execution {execution_id!r}")


def storage_failed(detail: str) -> RefusedError:
    """The store could not take a change."""
    return RefusedError(
        "storage_failed", f"the change could not be written: {detail}", retry_after_s=5
    )
