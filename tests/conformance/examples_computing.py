"""What becomes of the specification's examples that call nothing, or would start by an event."""

from tests.conformance.example import STANDARD, Example, Has, Run

_NOT_IMPLEMENTED = Has(
    type="https://serverlessworkflow.io/errors/not-implemented",
    status=500,
    title="Not Implemented",
    detail="The workflow 'raise-not-implemented:0.1.0' is a work in progress and cannot be run yet",
    instance="/do/0/notImplemented",
)
_SCHEDULED = (
    "a schedule is registered and starts nothing yet; given the event as the schedule would give "
    "it, "
)
_BY_HAND = Run({}, error=Has(type=f"{STANDARD}expression", status=400))
_PATIENT = {
    "id": "p1",
    "name": "Ada",
    "room": {"number": 7},
    "vitals": {"bpm": 41},
}
_HEARTBEAT = {
    "type": "com.example.hospital.events.patients.heartbeat.low",
    "data": {"patient": _PATIENT, "timestamp": "2026-02-23T16:30:00Z"},
}

COMPUTING: tuple[Example, ...] = (
    Example(
        "emit.yaml",
        "the event is built, recorded, and the output",
        "it is delivered to nobody yet",
        runs=(
            Run(
                {},
                Has(
                    source="https://petstore.com",
                    type="com.petstore.order.placed.v1",
                    specversion="1.0",
                    data={
                        "client": {"firstName": "Cruella", "lastName": "de Vil"},
                        "items": [{"breed": "dalmatian", "quantity": 101}],
                    },
                ),
            ),
        ),
    ),
    Example(
        "for-inline-array.yaml",
        "the three colours are collected",
        "each iteration's output is the next one's input",
        runs=(
            Run(
                {},
                {
                    "processed": [
                        {"name": "red", "hex": "#FF0000"},
                        {"name": "green", "hex": "#00FF00"},
                        {"name": "blue", "hex": "#0000FF"},
                    ]
                },
            ),
        ),
    ),
    Example(
        "raise-inline.yaml",
        "fails with the error that is raised",
        "`detail` is an expression",
        runs=(Run({}, error=_NOT_IMPLEMENTED),),
    ),
    Example(
        "raise-reusable.yaml",
        "fails with the error that is raised",
        "`use.errors` is looked up by name",
        runs=(Run({}, error=_NOT_IMPLEMENTED),),
    ),
    Example(
        "run-subflow.yaml",
        "`test.register-customer` runs, and its output is the output",
        "the child has to be registered too; its input is the text `.user`, since in strict mode "
        "only `${ }` is an expression there",
        runs=(Run({"user": "Ada"}, {"registered": ".user"}),),
    ),
    Example(
        "switch-then-string.yaml",
        "goes the way of the order's type",
        "`then: exit` after each way keeps the next one from running",
        runs=(
            Run({"orderType": "electronic"}, {"validate": True, "status": "fulfilled"}),
            Run(
                {"orderType": "physical"},
                {"inventory": "clear", "items": 1, "address": "Elmer St"},
            ),
            Run({"orderType": "none"}, {"log": "warn", "message": "something's wrong"}),
        ),
    ),
    *(
        Example(
            f"wait-duration-{which}.yaml",
            "completes after 30 s with its input",
            "the wait is a durable timer",
            runs=(Run({"a": 1}, {"a": 1}, took_s=30.0),),
            time="virtual",
        )
        for which in ("inline", "iso8601")
    ),
    Example(
        "schedule-event-driven.yaml",
        f"{_SCHEDULED}the nurse is called",
        "executed by hand, with an object as input, `$workflow.input[0]` is an expression error",
        runs=(
            Run(
                [_HEARTBEAT],
                {
                    "received": {
                        "patientId": "p1",
                        "patientName": "Ada",
                        "roomNumber": 7,
                        "vitals": {"heartRate": 41, "timestamp": "2026-02-23T16:30:00Z"},
                        "message": "Alert: Patient's heartbeat is critically low. "
                        "Immediate attention required.",
                    }
                },
                calls=("POST hospital.example.com/api/v1/notify",),
            ),
            _BY_HAND,
        ),
        time="virtual",
    ),
    Example(
        "set-expression.yaml",
        f"{_SCHEDULED}it is the output",
        "executed by hand, with an object as input, `$workflow.input[0]` is an expression error",
        runs=(Run([{"id": 1}], {"id": 1}), _BY_HAND),
        time="virtual",
    ),
    Example(
        "set.yaml",
        f"{_SCHEDULED}the output has it as `startEvent`",
        "executed by hand, with an object as input, `$workflow.input[0]` is an expression error",
        runs=(Run([{"id": 1}], {"startEvent": {"id": 1}}), _BY_HAND),
        time="virtual",
    ),
)
