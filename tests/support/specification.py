"""The specification's files, read where they are; nothing of them is copied."""

import os
from pathlib import Path

import pytest

from tests.support.markdown import ROOT

SPECIFICATION = Path(
    os.environ.get("OPENWORKFLOW_SPECIFICATION") or ROOT.parent / "shared" / "openworkflow"
)
"""Its folder: beside the checkout, or where OPENWORKFLOW_SPECIFICATION says."""

needs_specification = pytest.mark.skipif(
    not SPECIFICATION.is_dir(),
    reason=f"the specification is not at {SPECIFICATION}: set OPENWORKFLOW_SPECIFICATION",
)


def features() -> list[Path]:
    """The features of its conformance kit; none where the specification is not there."""
    return sorted(SPECIFICATION.glob("ctk/features/*.feature"))


def examples() -> list[Path]:
    """Its examples; none where the specification is not there."""
    return sorted(SPECIFICATION.glob("examples/*.yaml"))
