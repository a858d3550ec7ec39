"""What becomes of each of the specification's examples, and why: data for tests and the docs."""

from tests.conformance.examples_calling import CALLING
from tests.conformance.examples_computing import COMPUTING
from tests.conformance.examples_refused import REFUSED

EXAMPLES = sorted((*CALLING, *COMPUTING, *REFUSED), key=lambda example: example.file)
"""All of them, in the order of their files."""
