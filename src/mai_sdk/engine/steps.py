"""What a flow asks a driver to do, and what the driver gives back.

Rule of this file: values only. A flow (`flow.py`) yields these; a driver (`drive.py`) does what
they say, sends the result back in, or throws the failure in.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping, Sequence

    from mai_sdk.config import Secret, TokenCredential
    from mai_sdk.engine.upload import Upload
    from mai_sdk.metering.writer import Ticket

__all__ = [
    "AsyncResponse",
    "AsyncSocket",
    "AsyncTransport",
    "Await",
    "Certainty",
    "Kept",
    "Limits",
    "Pause",
    "Phase",
    "Read",
    "Request",
    "Response",
    "Send",
    "Socket",
    "SocketClosed",
    "Step",
    "Together",
    "Token",
    "Transport",
    "TransportFailed",
    "Work",
]

Certainty: TypeAlias = Literal["not_sent", "rejected", "unknown"]
"""What a failure says about the work: surely not received, surely refused, or nobody knows."""

Phase: TypeAlias = Literal["connect", "first_byte", "between_chunks", "total"]
"""The four time limits, as in `config.Timeouts`."""


@dataclass(slots=True)
class Request:
    """One HTTP request, ready to go. Its repr shows no header and no body."""

    method: str
    url: str
    headers: list[tuple[str, str]] = field(repr=False)
    body: bytes | Upload = field(default=b"", repr=False)
    stream: bool = False
    """Whether each piece of the answer is wanted as soon as it comes."""


@dataclass(slots=True)
class Limits:
    """Seconds allowed for each phase of one request; None is no limit."""

    connect: float | None
    first_byte: float | None
    between_reads: float | None
    """Between two reads of the body. Content pace is watched above the transport."""
    total: float | None = None
    """From sending to the whole head of the answer, however slowly it drips in."""


class TransportFailed(Exception):
    """No whole answer came; raised by transports, turned into a CallFailed by the flow.

    It never chains the library's own exception, which would hold the request and its key.
    """

    def __init__(
        self,
        detail: str,
        *,
        certainty: Certainty,
        phase: Phase | None = None,
        certificate: bool = False,
        hopeless: bool = False,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.certainty: Certainty = certainty
        self.phase: Phase | None = phase
        """The time limit that passed; None where it was no time limit."""
        self.certificate = certificate
        self.hopeless = hopeless or certificate
        """Whether trying again would meet the same failure."""


class SocketClosed(TransportFailed):
    """The other side closed the WebSocket, or the line broke."""

    def __init__(self, code: int, reason: str = "") -> None:
        super().__init__(f"closed with code {code}", certainty="unknown")
        self.code = code
        """As in RFC 6455, section 7.4; 1006 where the line broke without a close."""
        self.reason = reason
        """What was said with it; it may repeat what was sent."""


class Response(Protocol):
    """An answer whose head has arrived and whose body is still to be read."""

    @property
    def status(self) -> int:
        """The HTTP status."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """Names in lower case; of repeated headers the last."""
        ...

    def read(self, *, within: float | None) -> bytes | None:
        """Return the next piece of the body, undecoded, or None at its end.

        Waits `within` seconds at most, and the request's own limit where that is None.

        Raises:
            TransportFailed: It broke, or nothing came in time.
        """
        ...

    def close(self) -> None:
        """Give the connection back, or close it if the body was not read to its end.

        Safe to call twice.
        """
        ...


class AsyncResponse(Protocol):
    """See `Response`."""

    @property
    def status(self) -> int:
        """See `Response.status`."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """See `Response.headers`."""
        ...

    async def read(self, *, within: float | None) -> bytes | None:
        """See `Response.read`."""
        ...

    async def aclose(self) -> None:
        """See `Response.close`."""
        ...


class Transport(Protocol):
    """What carries requests. Bring your own by passing an object of this shape as `transport`."""

    def send(self, request: Request, limits: Limits) -> Response:
        """Return when the head of the answer is there; raise TransportFailed if it never comes.

        Follows no redirect, keeps no cookie, repeats nothing, decodes nothing.
        """
        ...

    def close(self) -> None:
        """Close every connection."""
        ...


class AsyncTransport(Protocol):
    """See `Transport`."""

    async def send(self, request: Request, limits: Limits) -> AsyncResponse:
        """See `Transport.send`."""
        ...

    async def aclose(self) -> None:
        """See `Transport.close`."""
        ...


class Socket(Protocol):
    """An open WebSocket. One thread may send while another receives."""

    def send(self, *messages: str | bytes) -> None:
        """Send messages in one write: text as text frames, bytes as binary ones.

        Raises:
            TransportFailed: The line is gone.
        """
        ...

    def receive(self, *, within: float | None) -> str | bytes:
        """Return the next whole message; pings are answered on the way.

        Raises:
            SocketClosed: The other side closed it, with its code and reason.
            TransportFailed: Nothing came within so many seconds.
            AnswerTooLarge: A message is longer than the socket takes.
        """
        ...

    def close(self, code: int = 1000, reason: str = "") -> None:
        """Say so and close, without waiting for an answer. Safe to call twice."""
        ...


class AsyncSocket(Protocol):
    """See `Socket`; of several tasks one may send while another receives."""

    async def send(self, *messages: str | bytes) -> None:
        """See `Socket.send`."""
        ...

    async def receive(self, *, within: float | None) -> str | bytes:
        """See `Socket.receive`. Cancelling it loses no message."""
        ...

    async def aclose(self, code: int = 1000, reason: str = "") -> None:
        """See `Socket.close`."""
        ...


@dataclass(slots=True)
class Send:
    """Send this; give back the Response once its head is there."""

    request: Request
    limits: Limits


@dataclass(slots=True)
class Read:
    """Read the whole body and close; give back the decoded bytes, at most `max_bytes` of them."""

    response: Response | AsyncResponse
    max_bytes: int
    within: Callable[[], float | None]
    """What is left of the call's time, in seconds; None for no limit."""
    limit: float | None = None
    """The socket's own limit for one read, which need not be kept a second time."""


@dataclass(slots=True)
class Pause:
    """Wait."""

    seconds: float


@dataclass(slots=True)
class Token:
    """Give back a bearer token; not `rejected`, which the service has just refused."""

    credential: TokenCredential
    scope: str
    rejected: Secret | None = None


@dataclass(slots=True)
class Work:
    """Do this and give back what it returns; an event loop has it done in a thread."""

    do: Callable[[], Any] = field(repr=False)
    undo: Callable[[Any], object] | None = field(default=None, repr=False)
    """Takes back what was returned where nobody waits for it any more: a thread cannot be ended
    with the task that began it."""


@dataclass(slots=True)
class Together:
    """Drive these flows side by side, and give back what each returned or raised, in their order.

    An exception is an outcome like any other, so that what has come is not lost with it. Only an
    interruption or a cancellation ends them all: what has not begun never does.
    """

    flows: Sequence[Generator[Step, Any, Any]] = field(repr=False)
    at_once: int
    """How many may be under way."""


@dataclass(slots=True)
class Await:
    """Call this, and await what it returns in an async world; give back the outcome."""

    act: Callable[[], Any]


@dataclass(slots=True)
class Kept:
    """Wait until the ledger has done what this ticket is for, well or not."""

    ticket: Ticket[Any]


Step: TypeAlias = "Send | Read | Pause | Token | Work | Together | Await | Kept"
