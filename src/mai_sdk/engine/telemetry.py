"""Spans and metrics of OpenTelemetry, from what `Tab` says of each call.

One span for an operation, with an event for each attempt. What is not known is left out: an absent
attribute is unknown, and 0 is 0. Prompts, answers and keys are never in it, and cannot be switched
on: nothing here is given one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from mai_sdk._version import __version__
from mai_sdk.engine import telemetry_names as names
from mai_sdk.errors import ConfigurationError

if TYPE_CHECKING:
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import TracerProvider

    from mai_sdk.config import Route
    from mai_sdk.engine.watching import Over, Watch
    from mai_sdk.metering.ledger import Operation
    from mai_sdk.metering.receipt import Attempt, Receipt

__all__ = ["Telemetry"]

_SECONDS = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)
_TOKENS = tuple(4**power for power in range(14))
"""The boundaries that the conventions ask for."""


class Telemetry:
    """Tells OpenTelemetry of every call: pass it as `MAI(telemetry=Telemetry(...))`.

    Args:
        tracer_provider: Where spans go; the global one if omitted.
        meter_provider: Where metrics go; the global one if omitted.

    Raises:
        ConfigurationError: opentelemetry-api is not installed (extra `[otel]`).
    """

    def __init__(
        self,
        *,
        tracer_provider: TracerProvider | None = None,
        meter_provider: MeterProvider | None = None,
    ) -> None:
        try:
            from opentelemetry import context, metrics, trace
        except ModuleNotFoundError:
            raise ConfigurationError(
                'telemetry needs the extra: pip install "mai-sdk[otel]".'
            ) from None
        self._current = context.get_current
        self._kind = trace.SpanKind.CLIENT
        self._failed = trace.StatusCode.ERROR
        self._tracer = trace.get_tracer("mai_sdk", __version__, tracer_provider)
        meter = metrics.get_meter("mai_sdk", __version__, meter_provider)
        self.duration = meter.create_histogram(
            names.DURATION,
            unit="s",
            description="How long an operation took.",
            explicit_bucket_boundaries_advisory=_SECONDS,
        )
        self.first_chunk = meter.create_histogram(
            names.TIME_TO_FIRST_CHUNK,
            unit="s",
            description="How long a stream took to its first content.",
            explicit_bucket_boundaries_advisory=_SECONDS,
        )
        self.tokens = meter.create_histogram(
            names.TOKEN_USAGE,
            unit="{token}",
            description="Tokens of one operation.",
            explicit_bucket_boundaries_advisory=_TOKENS,
        )
        self.counters = {
            meter_name: meter.create_counter(name, unit="{token}", description="Tokens used.")
            for meter_name, name in names.TOKEN_COUNTERS.items()
        }
        self.cost = meter.create_counter(
            names.COST_AMOUNT,
            unit="{nano}",
            description="Money spent, in billionths of the currency; what is unknown is not in it.",
        )

    def begin(self, operation: Operation, route: Route) -> Watch:
        """See `Watcher.begin`."""
        common = _common(operation, route)
        span = self._tracer.start_span(
            f"{common['gen_ai.operation.name']} {common.get('gen_ai.request.model', '')}".rstrip(),
            context=self._current(),
            kind=self._kind,
            attributes={**common, **_of_operation(operation)},
        )
        return _Operation(self, span, common, streams=operation.verb == "stream")

    def mark_failed(self, span: Any, error: str) -> None:
        """Say that the operation of a span failed."""
        span.set_attribute("error.type", error)
        span.set_status(self._failed)


class _Operation:
    """The span of one operation."""

    def __init__(
        self, telemetry: Telemetry, span: Any, common: dict[str, Any], *, streams: bool
    ) -> None:
        self._telemetry = telemetry
        self._span = span
        self._common = common
        self._streams = streams

    def attempt(self, attempt: Attempt) -> None:
        """See `Watch.attempt`."""
        said = {
            "mai.attempt.number": attempt.number,
            "mai.attempt.state": attempt.state,
            "mai.attempt.seconds": attempt.seconds,
            "http.response.status_code": attempt.status,
            "error.type": attempt.error,
            "mai.request_id": attempt.request_id,
            names.COST_STATUS: attempt.cost.status,
            names.COST_AMOUNT: attempt.cost.nanodollars,
        }
        self._span.add_event(names.ATTEMPT_EVENT, _known(said))

    def over(self, over: Over) -> None:
        """See `Watch.over`."""
        span, receipt = self._span, over.receipt
        span.set_attributes(_of_receipt(receipt))
        if over.request_id is not None:
            span.set_attribute("mai.request_id", over.request_id)
        first = over.timing.first_content if self._streams else None
        if first is not None:
            span.set_attribute("gen_ai.response.time_to_first_chunk", first)
        if over.error is not None:
            self._telemetry.mark_failed(span, over.error)
        span.end()
        failed = {"error.type": over.error} if over.error is not None else {}
        self._measure(receipt, over.timing.total, first, {**self._common, **failed})

    def _measure(
        self, receipt: Receipt, seconds: float, first: float | None, common: dict[str, Any]
    ) -> None:
        telemetry, usage, cost = self._telemetry, receipt.usage, receipt.cost
        telemetry.duration.record(seconds, common)
        if first is not None:
            telemetry.first_chunk.record(first, common)
        for kind, meter in ("input", "input_tokens"), ("output", "output_tokens"):
            count = usage.known(meter)
            if count is not None and receipt.attempts:
                telemetry.tokens.record(count, {**common, "gen_ai.token.type": kind})
        for meter, counter in telemetry.counters.items():
            for modality, count in _by_modality(receipt, meter):
                counter.add(count, {**common, "gen_ai.token.modality": modality})
        if cost.nanodollars is not None:
            money = {names.COST_CURRENCY: cost.currency, names.COST_STATUS: cost.status}
            telemetry.cost.add(cost.nanodollars, {**common, **money})


def _common(operation: Operation, route: Route) -> dict[str, Any]:
    """Return what span and metrics have in common: few values, so that metrics stay small."""
    place = urlsplit(route.endpoint)
    kind = _kind(operation)
    name = names.OPERATIONS.get(kind, kind)
    if operation.verb == "session":
        name = "realtime_inference"
    said = {
        "gen_ai.operation.name": name,
        "gen_ai.provider.name": names.PROVIDERS.get(operation.surface, operation.surface),
        "gen_ai.request.model": operation.deployment or operation.model,
        "server.address": place.hostname,
        "server.port": place.port,
    }
    return _known(said)


def _kind(operation: Operation) -> str:
    """Return the modality of the answer: a question about pictures is answered in words."""
    return "reasoning" if operation.verb == "ask" else operation.modality


def _of_operation(operation: Operation) -> dict[str, Any]:
    said = {
        "gen_ai.output.type": names.OUTPUT_TYPES.get(_kind(operation)),
        "gen_ai.request.stream": True if operation.verb == "stream" else None,
        "gen_ai.conversation.id": operation.session,
        "mai.call_id": operation.call_id,
        "mai.model": operation.model,
        "mai.modality": operation.modality,
        "mai.verb": operation.verb,
        "mai.surface": operation.surface,
        **{f"mai.tag.{name}": text for name, text in operation.tags.items()},
    }
    return _known(said)


def _of_receipt(receipt: Receipt) -> dict[str, Any]:
    said: dict[str, Any] = {
        names.ATTEMPTS: len(receipt.attempts),
        names.COST_STATUS: receipt.cost.status,
        names.COST_AMOUNT: receipt.cost.nanodollars,
        names.COST_CURRENCY: receipt.cost.currency if receipt.cost.has_money else None,
    }
    if receipt.attempts and not receipt.usage.used_nothing:
        said |= {name: receipt.usage.known(meter) for meter, name in names.USAGE.items()}
    return _known(said)


def _by_modality(receipt: Receipt, meter: str) -> list[tuple[str, int]]:
    """Return the tokens of a meter by what they were, where the service tells it."""
    total = receipt.usage.known(meter)
    if not total:
        return []
    parts = [
        (kind, receipt.usage.known(f"{kind}_{meter}") or 0) for kind in ("text", "image", "audio")
    ]
    rest = total - sum(count for _, count in parts)
    if rest < 0:  # parts that overlap tell nothing
        return [("unknown", total)]
    return [(kind, count) for kind, count in (*parts, ("unknown", rest)) if count]


def _known(said: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in said.items() if value is not None}
