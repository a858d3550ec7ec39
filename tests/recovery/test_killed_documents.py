"""SIGKILL of the whole server in the middle of nested for, fork and try, again and again.

Documents end as if nothing had been, and no call whose outcome was recorded is made again.
"""

import asyncio
import json
from functools import partial
from pathlib import Path
from typing import Any

from hypothesis import Phase, given, settings

from tests.support.counting import Counting, counting
from tests.support.documents_over_http import register
from tests.support.generated_documents import NAMESPACE, child, documents
from tests.support.generated_leaves import FAKE
from tests.support.servers import Api, server, until_true

ENVIRON = {"PERDURE_EGRESS_ALLOW": "127.0.0.1"}
DOCUMENTS = 12
ROUNDS = 6
KILLS_AFTER = (2, 7, 12, 17)
"""After how many calls the server is killed: each round makes four."""
_DOCUMENT = """\
document: {{dsl: '1.0.3', namespace: test, name: nested, version: '1.0.0'}}
do:
  - begin:
      set: {{log: []}}
  - rounds:
      for: {{each: round, in: '[range({rounds})]'}}
      do:
        - both:
            fork:
              branches:
                - stubborn:
                    try:
                      - refused:
                          call: http
                          with:
                            method: post
                            endpoint: ${{ "{url}/refused/\\($round)" }}
                            query: {{fail: '1', delay_ms: '20'}}
                    catch:
                      errors: {{with: {{status: 503}}}}
                      retry:
                        delay: {{milliseconds: 10}}
                        limit: {{attempt: {{count: 3}}}}
                - patient:
                    do:
                      - before:
                          call: http
                          with:
                            method: post
                            endpoint: ${{ "{url}/before/\\($round)" }}
                            query: {{delay_ms: '10'}}
                      - pause:
                          wait: {{milliseconds: 30}}
                      - after:
                          call: http
                          with:
                            method: post
                            endpoint: ${{ "{url}/after/\\($round)" }}
                            query: {{delay_ms: '30'}}
            output:
              as: '{{log: ($input.log + [[.[].path]])}}'
"""


def expected() -> list[list[str]]:
    """What the rounds log."""
    return [[f"/refused/{number}", f"/after/{number}"] for number in range(ROUNDS)]


async def recorded(api: Api, execution_id: str) -> set[str]:
    """The idempotency keys of the calls whose outcome is recorded."""
    return {
        f"{execution_id}:{task['position']}"
        for task in await api.tasks(execution_id)
        if task["status"] in ("completed", "failed")
    }


async def test_killing_the_server_repeats_no_recorded_call(tmp_path: Path) -> None:
    with counting() as service:
        async with server(tmp_path, environ=ENVIRON) as its:
            document = _DOCUMENT.format(url=service.url, rounds=ROUNDS)
            response = await register(its.api, document)
            assert response.status_code == 201, response.text
            execution_id = await its.api.start("test.nested")
            known: dict[str, int] = {}
            for after in KILLS_AFTER:
                await until_true(partial(was_called, service, after), f"there were {after} calls")
                known = await made(its.api, [execution_id], service) | known
                await its.kill()
                await its.start()
            execution = await its.api.until_status(execution_id, "completed", "failed")
            assert execution["status"] == "completed", execution
            assert execution["result"] == {"log": expected()}
            calls = by_key(service)
            assert len(calls) == len(service.calls) == 4 * ROUNDS
            assert await recorded(its.api, execution_id) >= set(calls)
            assert len(known) >= KILLS_AFTER[-1] // 2
            assert {key: calls[key] for key in known} == known
            assert sum(calls.values()) - len(calls) <= 2 * len(KILLS_AFTER)


async def test_generated_documents_end_as_if_no_server_had_been_killed(tmp_path: Path) -> None:
    with counting() as service:
        async with server(tmp_path, environ=ENVIRON) as its:
            names = []
            for number, document in enumerate([child(), *sampled(DOCUMENTS)]):
                if number:
                    document["document"]["name"] = f"document-{number}"
                    names.append(f"{NAMESPACE}.document-{number}")
                text = json.dumps(document).replace(FAKE, service.url)
                response = await register(its.api, text)
                assert response.status_code == 201, response.text
            undisturbed = await asyncio.gather(*map(its.api.run, names))
            assert set(by_key(service).values()) == {1}
            started = [await its.api.start(name) for name in names]
            known: dict[str, int] = {}
            total = sum(service.calls.values())
            for part in (0.2, 0.5, 0.8):
                after = round(total * (1 + part))
                await until_true(partial(was_called, service, after), f"there were {after} calls")
                known = await made(its.api, started, service) | known
                await its.kill()
                await its.start()
            for execution_id, expected in zip(started, undisturbed, strict=True):
                ended = await its.api.until_status(execution_id, "completed", "failed")
                seen, wanted = (
                    {name: execution[name] for name in ("status", "result", "error")}
                    for execution in (ended, expected)
                )
                assert seen == wanted
            calls = by_key(service)
            assert len(known) > DOCUMENTS
            assert {key: calls[key] for key in known} == known


def sampled(count: int) -> list[dict[str, Any]]:
    """Generated documents, the same in every run."""
    found: list[dict[str, Any]] = []

    @settings(max_examples=count, phases=[Phase.generate], database=None, derandomize=True)
    @given(documents(longest_ms=150))
    def collect(document: dict[str, Any]) -> None:
        found.append(document)

    collect()
    return found


async def made(api: Api, execution_ids: list[str], service: Counting) -> dict[str, int]:
    """How often each call was made whose outcome is recorded."""
    done = {key for each in execution_ids for key in await recorded(api, each)}
    return {key: times for key, times in by_key(service).items() if key in done}


def was_called(service: Counting, times: int) -> bool:
    """Whether there were so many calls."""
    return sum(service.calls.values()) >= times


def by_key(service: Counting) -> dict[str, int]:
    """How often a call came under each key."""
    return {call.key: times for call, times in service.calls.items()}
