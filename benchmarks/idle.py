"""The memory of a server that has nothing to do."""

import time
from collections.abc import Sequence

from benchmarks.memory import memory_of
from benchmarks.report import Measured, Row, Target
from benchmarks.setting import Setting

TARGET_MB = 150.0
_SETTLE_S = 2.0


def idle(setting: Setting) -> Sequence[Row]:
    """Measure server and worker soon after they are ready, before anything was executed."""
    setting.progress.say("idle memory")
    with setting.server() as server:
        server.wait_until_ready()
        time.sleep(_SETTLE_S)
        memory = memory_of(server.pid)
    return [
        Row(
            what="idle memory of server and one worker",
            unit="MB",
            measured=Measured.of([memory.rss]),
            target=Target("<", TARGET_MB, "the sum of their resident memory (RSS)"),
            notes=memory.notes(),
        )
    ]
