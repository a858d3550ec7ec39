"""What each kind of task does: a file for each, with a `define` that makes its definition."""

from collections.abc import Callable, Mapping

from perdure.openworkflow import types as t
from perdure.openworkflow.running import Definition
from perdure.openworkflow.tasks import (
    call_function,
    call_http,
    do,
    emit,
    for_,
    fork,
    raise_,
    run_workflow,
    set_,
    switch,
    try_,
    wait,
)

KINDS: Mapping[type[t.Task], Callable[..., Definition]] = {
    t.CallFunctionTask: call_function.define,
    t.CallHttpTask: call_http.define,
    t.DoTask: do.define,
    t.EmitTask: emit.define,
    t.ForTask: for_.define,
    t.ForkTask: fork.define,
    t.RaiseTask: raise_.define,
    t.RunWorkflowTask: run_workflow.define,
    t.SetTask: set_.define,
    t.SwitchTask: switch.define,
    t.TryTask: try_.define,
    t.WaitTask: wait.define,
}
