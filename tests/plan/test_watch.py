"""What a running server says becomes traffic, and traffic becomes advice."""

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
import pytest
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from tests.plan.search.toys import toy_demand, toy_profile

from goodput.core.errors import UsageError
from goodput.core.slo import SLO
from goodput.plan.search.question import Question
from goodput.plan.watch import Look, Traffic, advise, between, look


def asked(budget: int = 4) -> Question:
    return Question(
        profile=toy_profile(),
        sample=lambda seed: toy_demand(seed=seed),
        slo=SLO(ttft=1.0, tpot=0.2),
        budget=budget,
        node=8,
    )


def seen(at: float, **counters: float) -> Look:
    names = ("ended", "prompt_tokens", "cached_tokens", "output_tokens", "met", "missed")
    return Look(at, "toy", {"mixed": 1}, {name: counters.get(name, 0.0) for name in names})


def traffic(rate: float, prompt: float = 300, output: float = 11) -> Traffic:
    return Traffic(
        requests=100, rate=rate, prompt_tokens=prompt, output_tokens=output, attainment=None
    )


def test_traffic_is_what_the_counters_grew_by() -> None:
    before = seen(10.0, ended=5, prompt_tokens=100, output_tokens=50)
    after = seen(
        30.0, ended=45, prompt_tokens=4100, cached_tokens=800, output_tokens=850, met=27, missed=9
    )
    assert between(before, after) == Traffic(
        requests=40, rate=2.0, prompt_tokens=80.0, output_tokens=20.0, attainment=0.75
    )


def test_too_little_and_a_restart_say_nothing() -> None:
    assert between(seen(0.0), seen(10.0, ended=7)) is None
    assert between(seen(0.0, ended=90), seen(10.0, ended=20)) is None


def test_what_holds_is_left() -> None:
    advice = advise(asked(), traffic(2.0), {"prefill": 3, "decode": 1})
    assert advice.change is None and "leave 3P tp1 + 1D tp1" in advice.words
    assert "its own planner would" in advice.words


def test_a_shift_to_long_prompts_moves_workers_to_prefill() -> None:
    advice = advise(asked(), traffic(7.0), {"prefill": 1, "decode": 3})
    assert advice.change is not None and advice.then > 0.9 > advice.now
    assert "bound by the prefill queue" in advice.words
    assert "300 computed prompt tokens" in advice.words
    # The server's planner, asked with the same traffic, goes the same way.
    assert advice.planner.prefill > 1
    assert "flip prefill (prefill-short)" in advice.words


@contextmanager
def served(pages: dict[str, bytes]) -> Iterator[str]:
    class Pages(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = pages.get(self.path)
            self.send_response(200 if body is not None else 404)
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def metrics() -> bytes:
    """Under the names of frontend/metrics.py."""
    registry = CollectorRegistry()
    e2e = Histogram("goodput_request_duration_seconds", "…", registry=registry)
    e2e.observe(1.0)
    for name, value in (("prompt", 120), ("cached", 20), ("generated", 40)):
        Counter(f"goodput_{name}_tokens", "…", registry=registry).inc(value)
    slo = Counter("goodput_slo_requests", "…", ["outcome"], registry=registry)
    slo.labels("met").inc(3)
    return generate_latest(registry)


HEALTH = msgspec.json.encode(
    {
        "status": "ready",
        "model": "toy",
        "workers": [
            {"name": "p0", "role": "prefill", "state": "ready", "pid": 1},
            {"name": "d0", "role": "decode", "state": "ready", "pid": 2},
            {"name": "d1", "role": "decode", "state": "lost", "pid": 3},
        ],
    }
)


def test_a_look_reads_health_and_metrics() -> None:
    with served({"/health": HEALTH, "/metrics": metrics()}) as url:
        found = look(url, 7.0)
    assert found.at == 7.0 and found.model == "toy"
    assert found.workers == {"prefill": 1, "decode": 1}
    assert found.counters == {
        "ended": 1,
        "prompt_tokens": 120,
        "cached_tokens": 20,
        "output_tokens": 40,
        "met": 3,
        "missed": 0,
    }


def test_another_server_is_told_in_a_sentence() -> None:
    with (
        served({"/health": HEALTH, "/metrics": b""}) as url,
        pytest.raises(UsageError, match="/metrics has no goodput_cached_tokens_total"),
    ):
        look(url, 0.0)
    with (
        served({"/health": b"ok"}) as url,
        pytest.raises(UsageError, match="is not that of"),
    ):
        look(url, 0.0)
    with pytest.raises(UsageError, match="cannot reach"):
        look("http://127.0.0.1:9", 0.0)
