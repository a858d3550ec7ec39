"""What a document means as a whole: the rules that its schema cannot state.

The walk takes parts of any structure: what `structure` has to report is passed over here. It covers
the document itself and what ``use`` holds; the tasks are walked by `task_rules`.
"""

from collections.abc import Callable

from perdure.openworkflow.expressions import sites
from perdure.openworkflow.findings import meant, quoted
from perdure.openworkflow.reading import Node
from perdure.openworkflow.validation.collector import Collector
from perdure.openworkflow.validation.expressions import Expressions
from perdure.openworkflow.validation.part_rules import PartRules
from perdure.openworkflow.validation.references import References
from perdure.openworkflow.validation.scope import Scope
from perdure.openworkflow.validation.task_rules import TaskRules
from perdure.openworkflow.validation.values import check_duration

_DSL_MAJOR = "1"
_LANGUAGES = ("jq",)
_LONGEST_VERSION = 128


def check(root: Node, found: Collector) -> None:
    """Report what cannot work in a document, as far as it has the structure of one."""
    references = References(root, found)
    evaluate = root.member("evaluate")
    language = evaluate.member("language") if evaluate is not None else None
    known = language is None or language.value in _LANGUAGES
    expressions = Expressions(found, references.secrets, known=known)
    tasks = TaskRules(found, references, expressions)
    _check_header(root.member("document"), found)
    if not known and language is not None and isinstance(language.value, str):
        with found.at("evaluate", "language"):
            near = meant(language.value, _LANGUAGES)
            found.report(
                language, f"expected jq, found {quoted(language.value)}{near}: it is the only one"
            )
    with found.at("input"):
        tasks.parts.data(root.member("input"), "from", sites.WORKFLOW_INPUT_FROM)
    with found.at("output"):
        tasks.parts.data(root.member("output"), "as", sites.WORKFLOW_OUTPUT_AS)
    with found.at("timeout"):
        tasks.parts.timeout(root.member("timeout"), sites.WORKFLOW_OUTPUT_AS)
    with found.at("do"):
        tasks.list(root.member("do"), Scope())
    use = root.member("use")
    if use is not None:
        with found.at("use"):
            _check_use(use, found, tasks)
    _check_schedule(root.member("schedule"), found, tasks)
    references.check_circles()


def _check_header(header: Node | None, found: Collector) -> None:
    if header is None:
        return
    dsl, version = header.member("dsl"), header.member("version")
    if dsl is not None and isinstance(dsl.value, str):
        major, dot, _ = dsl.value.partition(".")
        if dot and major.isdecimal() and major != _DSL_MAJOR:
            with found.at("document", "dsl"):
                found.report(
                    dsl, f"expected version 1 of the DSL, such as 1.0.3, found {quoted(dsl.value)}"
                )
    written = version.value if version is not None else None
    if version is not None and isinstance(written, str) and len(written) > _LONGEST_VERSION:
        with found.at("document", "version"):
            found.report(version, f"a version has at most {_LONGEST_VERSION} characters")


def _check_use(use: Node, found: Collector, tasks: TaskRules) -> None:
    parts = tasks.parts
    for name, catalog in _members(use, "catalogs"):
        with found.at("catalogs", name, "endpoint"):
            parts.endpoint(catalog.member("endpoint"), Scope())
    for name, task in _members(use, "functions"):
        with found.at("functions", name):
            tasks.task(task, Scope(function=name))
    _check_extensions(use.member("extensions"), found, tasks)
    _check_secrets(use.member("secrets"), found)
    _check_unused(use, found, tasks.parts)


def _check_unused(use: Node, found: Collector, parts: PartRules) -> None:
    """Check what nothing uses; the rest was checked with what there is where it is used."""
    checks: dict[str, Callable[[Node], None]] = {
        "authentications": lambda policy: parts.authentication(policy, Scope()),
        "errors": lambda error: parts.error(error, Scope()),
        "retries": lambda policy: parts.retry(policy, Scope().with_variables("error")),
        "timeouts": lambda timeout: parts.timeout(timeout, sites.TASK_DEFINITION),
    }
    for part, check_part in checks.items():
        for name, node in _members(use, part):
            if parts.unused(part, name) and node.members is not None:
                with found.at(part, name):
                    check_part(node)


def _check_extensions(extensions: Node | None, found: Collector, tasks: TaskRules) -> None:
    seen: set[str] = set()
    for index, item in enumerate((extensions and extensions.items) or ()):
        for name, extension in (item.members or {}).items():
            with found.at("extensions", index, name):
                if name in seen:
                    found.report(
                        extension, f"two extensions have the name {quoted(name)}: rename one"
                    )
                tasks.extension(extension)
            seen.add(name)


def _check_secrets(secrets: Node | None, found: Collector) -> None:
    seen: set[str] = set()
    for index, item in enumerate((secrets and secrets.items) or ()):
        if not isinstance(item.value, str):
            continue
        with found.at("secrets", index):
            if item.value in seen:
                found.report(item, f"the secret {quoted(item.value)} is declared twice")
            elif not item.value:
                found.report(item, "a secret needs a name")
        seen.add(item.value)


def _check_schedule(schedule: Node | None, found: Collector, tasks: TaskRules) -> None:
    if schedule is None or schedule.members is None:
        return
    with found.at("schedule"):
        for name in ("every", "after"):
            part = schedule.member(name)
            if part is not None:
                with found.at(name):
                    check_duration(part, found)
        with found.at("on"):
            tasks.parts.events(schedule.member("on"), Scope())


def _members(use: Node, part: str) -> list[tuple[str, Node]]:
    node = use.member(part)
    return list(((node.members if node is not None else None) or {}).items())
