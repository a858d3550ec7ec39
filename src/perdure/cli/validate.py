"""`perdure validate`"""

import sys
from typing import TYPE_CHECKING, Any

import click

from perdure.cli.codes import FAILED
from perdure.cli.connecting import as_json
from perdure.cli.mistakes import told
from perdure.cli.printing import printable, write_json

if TYPE_CHECKING:
    from perdure.openworkflow.validation import Report


@click.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path())
@as_json
def validate(files: tuple[str, ...], json: bool) -> None:
    """Validate Open Workflow documents, YAML or JSON; no server is asked.

    Every problem is a line: file, line and column, where in the document, what is wrong. With
    --json, a file a line. Exits with 1 where there is a problem.
    """
    from perdure.bootstrap.documents import validate_file

    valid = True
    with told():
        for file in files:
            report = validate_file(file)
            valid = valid and not report.findings
            if json:
                write_json(_described(file, report))
            else:
                _show(file, report)
    if not valid:
        sys.exit(FAILED)


def _show(file: str, report: "Report") -> None:
    for found in report.findings:
        location = found.location or "/"
        click.echo(printable(f"{file}:{found.line}:{found.column}: {location}: {found.message}"))
    if report.served is not None:
        served = report.served
        click.echo(f"{printable(file)}: {served.workflow_id} {served.version} is valid", err=True)
        for task in served.unsupported:
            click.echo(f"  cannot be executed yet: {printable(task)}", err=True)


def _described(file: str, report: "Report") -> dict[str, Any]:
    served = report.served
    described: dict[str, Any] = {"file": file, "valid": not report.findings}
    if served is not None:
        described["workflow_id"] = served.workflow_id
        described["version"] = served.version
        described["unsupported"] = served.unsupported
    described["problems"] = report.findings
    return described
