"""Spans and metrics as OpenTelemetry's own SDK receives them."""

import sys

import pytest
from opentelemetry import trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from acts import ASYNC, CANARY, SYNC, run, talk
from mai_sdk import Telemetry
from mai_sdk.emulator import EMULATOR_KEY
from mai_sdk.engine import telemetry_names as names
from mai_sdk.errors import ConfigurationError, MAIError

OPERATION = "gen_ai.operation.name"


class Seen:
    """What OpenTelemetry was told."""

    def __init__(self):
        self._spans = InMemorySpanExporter()
        self._metrics = InMemoryMetricReader()
        self.tracers = TracerProvider()
        self.tracers.add_span_processor(SimpleSpanProcessor(self._spans))
        meters = MeterProvider(metric_readers=[self._metrics])
        self.telemetry = Telemetry(tracer_provider=self.tracers, meter_provider=meters)

    @property
    def spans(self):
        return self._spans.get_finished_spans()

    @property
    def span(self):
        (span,) = self.spans
        return span

    def metrics(self):
        """Name to the points of it."""
        data = self._metrics.get_metrics_data()
        return {
            metric.name: list(metric.data.data_points)
            for resource in data.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
        }


@pytest.fixture
def seen():
    return Seen()


SAYS = {
    "reasoning.create": ("chat", "text"),
    "reasoning.stream": ("chat", "text"),
    "code.create": ("chat", "text"),
    "code.stream": ("chat", "text"),
    "image.generate": ("generate_content", "image"),
    "image.ask": ("chat", "text"),
    "transcribe.create": ("speech_to_text", "text"),
    "voice.synthesize": ("text_to_speech", "speech"),
    "voice.stream": ("text_to_speech", "speech"),
    "voice.stream with boundaries": ("text_to_speech", "speech"),
    "openai": ("chat", "text"),
}


def check(seen, act):
    span = seen.span
    said = span.attributes
    assert (said[OPERATION], said["gen_ai.output.type"]) == SAYS[act]
    assert span.name == f"{said[OPERATION]} {said['gen_ai.request.model']}"
    assert span.kind is trace.SpanKind.CLIENT
    assert span.status.is_ok or span.status.status_code is trace.StatusCode.UNSET
    assert said["server.address"] == "127.0.0.1"
    assert said[names.COST_STATUS] in ("exact", "estimated", "free", "unknown")
    assert len(span.events) == said[names.ATTEMPTS]
    assert {event.name for event in span.events} == {names.ATTEMPT_EVENT}
    (duration,) = seen.metrics()[names.DURATION]
    assert duration.count == 1
    assert span.end_time > span.start_time


@pytest.mark.parametrize("act", [act for act in SYNC if act in SAYS])
def test_every_kind_of_call_is_one_span(emulator, seen, act):
    with emulator.client(telemetry=seen.telemetry) as client:
        SYNC[act](client)
    check(seen, act)


@pytest.mark.parametrize("act", ASYNC)
def test_every_kind_of_awaited_call_is_one_span(emulator, seen, act):
    async def go():
        async with emulator.async_client(telemetry=seen.telemetry) as client:
            await ASYNC[act](client)

    run(go())
    check(seen, act)


def test_every_turn_of_a_session_is_a_span(emulator, seen):
    async def go():
        async with emulator.async_client(telemetry=seen.telemetry) as client:
            await talk(client)

    run(go())
    assert {span.attributes[OPERATION] for span in seen.spans} == {"realtime_inference"}


def test_tokens_and_money_are_those_of_the_receipt(emulator, seen):
    with emulator.client(telemetry=seen.telemetry, tags={"team": "search"}) as client:
        reply = client.reasoning.create("Why?")
    said = seen.span.attributes
    assert said["gen_ai.usage.input_tokens"] == reply.usage.input_tokens
    assert said["gen_ai.usage.output_tokens"] == reply.usage.output_tokens
    assert said[names.COST_AMOUNT] == reply.cost.nanodollars
    assert said[names.COST_STATUS] == reply.cost.status
    assert said["mai.call_id"] == reply.call_id
    assert said["mai.tag.team"] == "search"
    points = seen.metrics()
    sums = {point.attributes["gen_ai.token.type"]: point.sum for point in points[names.TOKEN_USAGE]}
    assert sums == {"input": reply.usage.input_tokens, "output": reply.usage.output_tokens}
    (money,) = points[names.COST_AMOUNT]
    assert money.value == reply.cost.nanodollars
    assert money.attributes[names.COST_STATUS] == reply.cost.status
    (out,) = points[names.TOKEN_COUNTERS["output_tokens"]]
    assert out.value == reply.usage.output_tokens


def test_a_stream_says_how_long_its_first_content_took(emulator, seen):
    with emulator.client(telemetry=seen.telemetry) as client:
        SYNC["reasoning.stream"](client)
    assert seen.span.attributes["gen_ai.request.stream"] is True
    assert seen.span.attributes["gen_ai.response.time_to_first_chunk"] > 0
    assert seen.metrics()[names.TIME_TO_FIRST_CHUNK][0].count == 1


def test_tries_are_events_of_one_span(emulator, seen):
    emulator.fault("rate_limit", retry_after=None, retry_after_ms=1)
    with emulator.client(telemetry=seen.telemetry) as client:
        client.reasoning.create("Why?")
    first, second = seen.span.events
    assert first.attributes["error.type"] == "RateLimited"
    assert first.attributes["http.response.status_code"] == 429
    assert second.attributes["mai.attempt.state"] == "settled_exact"


def test_a_failure_is_named_by_its_class(emulator, seen):
    emulator.fault("status", code=400)
    with emulator.client(telemetry=seen.telemetry) as client, pytest.raises(MAIError):
        client.reasoning.create("Why?")
    assert seen.span.attributes["error.type"] == "RequestRejected"
    assert seen.span.status.status_code is trace.StatusCode.ERROR
    (duration,) = seen.metrics()[names.DURATION]
    assert duration.attributes["error.type"] == "RequestRejected"


def test_what_is_unknown_is_absent_and_not_zero(emulator, seen):
    emulator.fault("reset")
    once = emulator.client(telemetry=seen.telemetry, max_retries=0)
    with once as client, pytest.raises(MAIError):
        client.reasoning.create("Why?")
    said = seen.span.attributes
    assert said[names.COST_STATUS] == "unknown"
    assert not {names.COST_AMOUNT, "gen_ai.usage.input_tokens"} & set(said)
    assert not {names.COST_AMOUNT, names.TOKEN_USAGE} & set(seen.metrics())


def test_a_span_stands_under_the_one_that_was_current(emulator, seen):
    tracer = seen.tracers.get_tracer("a test")
    current = tracer.start_as_current_span("mine")
    with emulator.client(telemetry=seen.telemetry) as client, current as mine:
        client.reasoning.create("Why?")
    ours = next(span for span in seen.spans if span.name != "mine")
    assert ours.parent.span_id == mine.get_span_context().span_id


@pytest.mark.parametrize("fault", [None, "key_echo"])
def test_no_prompt_answer_or_key_is_told(emulator, seen, fault):
    with emulator.client(telemetry=seen.telemetry) as client:
        for act in SYNC.values():
            emulator.reset()
            if fault is not None:
                emulator.fault(fault, times=None)
            try:
                act(client)
            except Exception:
                assert fault is not None
    told = "".join(span.to_json() for span in seen.spans) + repr(seen.metrics())
    assert len(seen.spans) >= len(SYNC)
    assert CANARY not in told
    assert "midnight" not in told
    assert EMULATOR_KEY not in told


def test_true_means_the_global_providers(emulator):
    with emulator.client(telemetry=True) as client:
        assert client.reasoning.create("Why?").text


def test_without_the_package_it_says_what_to_install(emulator, monkeypatch):
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    with pytest.raises(ConfigurationError, match=r"mai-sdk\[otel\]"):
        emulator.client(telemetry=True)


def test_off_it_is_not_loaded_and_nobody_watches(emulator):
    with emulator.client() as client:
        assert client._core.engine.watchers == ()
