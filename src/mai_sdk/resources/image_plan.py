"""One call for pictures, planned: checked against what is known of the model, made into a Call.

Everything here is decided before anything is sent, so bad input never reaches the network.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import isfinite
from typing import TYPE_CHECKING, Any, Final, Literal
from urllib.parse import urlencode

from pydantic_core import PydanticSerializationError, to_json

from mai_sdk.engine.call import Call
from mai_sdk.errors import InvalidRequest, UnsupportedFeature
from mai_sdk.resources.ask import check_extras
from mai_sdk.resources.image_input import read_references
from mai_sdk.resources.image_size import size_to_send
from mai_sdk.resources.image_usage import most_used, used
from mai_sdk.resources.messages import texts_of
from mai_sdk.wire.failures import read_failure
from mai_sdk.wire.images import (
    EDITS_PATH,
    GENERATIONS_PATH,
    Drawn,
    ImageRequest,
    edit_parts,
    generation_body,
    read_images,
)
from mai_sdk.wire.multipart import boundary_of, join_parts
from mai_sdk.wire.shapes import parsed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from mai_sdk.catalog import Model
    from mai_sdk.config import Route, Timeouts
    from mai_sdk.errors import CallFailed
    from mai_sdk.resources.core import Core
    from mai_sdk.resources.image_input import ImageInput
    from mai_sdk.resources.image_size import Size

__all__ = ["ImageAsk", "ImagePlan"]

_MODALITY: Final = "image"
_BACKGROUNDS: Final = ("transparent", "opaque")


@dataclass(slots=True, kw_only=True)
class ImageAsk:
    """What a caller asked for, as it was passed."""

    prompt: str = field(repr=False)
    images: ImageInput | Iterable[ImageInput] | None = field(default=None, repr=False)
    """None for a picture from words alone."""
    model: str | None = None
    width: int | None = None
    height: int | None = None
    n: int = 1
    auto_aspect_ratio: bool | None = None
    web_grounding: bool | None = None
    background: Literal["transparent", "opaque"] | None = None
    requests_per_minute: float | None = None
    resend_unknown: bool = False
    timeout: float | Timeouts | None = None
    tags: Mapping[str, str] | None = None
    extra_body: Mapping[str, Any] | None = field(default=None, repr=False)
    extra_headers: Mapping[str, str] | None = field(default=None, repr=False)


@dataclass(slots=True, kw_only=True)
class ImagePlan:
    """An ask, checked, with the route it takes."""

    core: Core
    route: Route
    model: Model | None
    ask: ImageAsk
    request: ImageRequest = field(repr=False)
    asked_size: Size | None
    sent_size: Size | None
    timeouts: Timeouts

    @classmethod
    def make(cls, core: Core, ask: ImageAsk) -> ImagePlan:
        """Return the plan for `ask`.

        Raises:
            NotConfigured: No route leads to the model.
            InvalidRequest: The ask is wrong as it stands.
            UnsupportedFeature: The model or surface cannot do it.
        """
        _check(ask)
        route, model = core.route(ask.model, _MODALITY)
        timeouts = core.config.timeouts_for(ask.timeout, modality=_MODALITY)
        _check_pace(ask, timeouts)
        if route.surface != "foundry":
            raise UnsupportedFeature(
                f"Pictures are drawn on the foundry surface, and this route is {route.surface!r}. "
                "Use a foundry route."
            )
        if model is not None:
            _check_abilities(core, model, ask)
        size = size_to_send(ask.width, ask.height, model=model, catalog=core.catalog)
        most = model.limit("edit_images") if model is not None else None
        request = ImageRequest(
            prompt=ask.prompt,
            deployment=route.deployment,
            width=size[0] if size else None,
            height=size[1] if size else None,
            auto_aspect_ratio=ask.auto_aspect_ratio,
            web_grounding=ask.web_grounding,
            background=ask.background,
            references=() if ask.images is None else read_references(ask.images, most=most),
            extra_body=ask.extra_body or {},
        )
        return cls(
            core=core,
            route=route,
            model=model,
            ask=ask,
            request=request,
            asked_size=None if ask.width is None or ask.height is None else (ask.width, ask.height),
            sent_size=size,
            timeouts=timeouts,
        )

    def call(self) -> Call[Drawn]:
        """Return the call for one picture as the engine makes it.

        Raises:
            InvalidRequest: Something in it cannot be written as JSON or UTF-8.
        """
        request = self.request
        headers = self.ask.extra_headers or {}
        try:
            if request.references:
                boundary = boundary_of()
                path, kind = EDITS_PATH, f"multipart/form-data; boundary={boundary}"
                body = join_parts(edit_parts(request), boundary=boundary)
            else:
                path, kind = GENERATIONS_PATH, "application/json"
                body = to_json(generation_body(request))
        except (PydanticSerializationError, UnicodeEncodeError) as error:
            raise InvalidRequest(f"The request cannot be written down: {error}.") from None
        query = dict(self.route.query)
        return Call(
            route=self.route,
            url=self.route.endpoint + path + (f"?{urlencode(query)}" if query else ""),
            body=body,
            read=self._read,
            usage_of=lambda drawn: used(drawn, self.request),
            fail=self._fail,
            upper_bound=lambda: most_used(self.request, model=self.model),
            timeouts=self.timeouts,
            headers=tuple(headers.items()),
            content_type=kind,
            repeats_unknown=self.ask.resend_unknown,
            prompts=texts_of([request.prompt, request.extra_body, *headers.values()]),
            explain_missing=lambda: self.core.explain_missing(self.route, self.model),
        )

    def _read(self, body: bytes, headers: Mapping[str, str]) -> Drawn:
        raw = parsed(body)
        if not isinstance(raw, dict):
            raise self._fail(200, headers, body)
        return read_images(raw, surface=self.route.surface)

    def _fail(self, status: int, headers: Mapping[str, str], body: bytes) -> CallFailed:
        return read_failure(status=status, headers=headers, body=body, surface=self.route.surface)


def _check(ask: ImageAsk) -> None:
    prompt: Any = ask.prompt
    if not isinstance(prompt, str):
        raise InvalidRequest(f"The prompt is a {type(prompt).__name__}. Pass text.")
    if not prompt.strip():
        raise InvalidRequest("The prompt is empty. Say what is to be seen.")
    check_extras(ask.model, ask.tags, ask.extra_headers, extra_body=ask.extra_body)
    count: Any = ask.n
    if isinstance(count, bool) or not isinstance(count, int) or count < 1:
        raise InvalidRequest(f"n is {count!r}. It is how many pictures: a whole number from 1 up.")
    for name in ("auto_aspect_ratio", "web_grounding"):
        value = getattr(ask, name)
        if value is not None and not isinstance(value, bool):
            raise InvalidRequest(f"{name} is a {type(value).__name__}. It is True or False.")
    if ask.background is not None and ask.background not in _BACKGROUNDS:
        raise InvalidRequest(
            'background is "transparent" or "opaque", or left out; the service knows no other '
            'value, "auto" included. Put one it has learnt since into extra_body.'
        )


def _check_pace(ask: ImageAsk, timeouts: Timeouts) -> None:
    pace: Any = ask.requests_per_minute
    if pace is None:
        return
    number = not isinstance(pace, bool) and isinstance(pace, (int, float))
    if not number or not isfinite(pace) or pace <= 0:
        raise InvalidRequest(
            f"requests_per_minute is {pace!r}. It is a number above 0: the deployment's quota."
        )
    seconds = (ask.n - 1) * 60 / pace
    if timeouts.total is not None and seconds >= timeouts.total:
        raise InvalidRequest(
            f"{ask.n} pictures at {pace:g} requests a minute begin over {seconds:,.0f} s, and the "
            f"call's total limit is {timeouts.total:g} s. Ask for fewer, or raise it with "
            "timeout=Timeouts(total=...)."
        )


def _check_abilities(core: Core, model: Model, ask: ImageAsk) -> None:
    """Refuse what sources agree that the model cannot do; what is not known is sent."""
    drawing = core.catalog.models(_MODALITY)
    if model.modality != _MODALITY:
        names = ", ".join(other.name for other in drawing if not other.is_retired())
        raise UnsupportedFeature(f"{model.name} draws no pictures. These do: {names}.")
    asked = {
        "edits": ask.images is not None,
        "auto_aspect_ratio": ask.auto_aspect_ratio is not None,
        "web_grounding": ask.web_grounding is not None,
        "transparent_background": ask.background is not None,
    }
    for ability, wanted in asked.items():
        if wanted and model.can(ability) is False:
            what = "background" if ability == "transparent_background" else ability
            able = ", ".join(other.name for other in drawing if other.can(ability))
            raise UnsupportedFeature(
                f"{model.name} does not do {what}. These do: {able or 'none known'}."
            )
