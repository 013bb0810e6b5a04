"""Questions about pictures: a chat call to a model that can see."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mai_sdk.errors import UnsupportedFeature
from mai_sdk.resources.ask import check_ask
from mai_sdk.resources.asking import create
from mai_sdk.resources.image_input import read_for_chat
from mai_sdk.resources.plan import models_that_see

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

    from mai_sdk.catalog import Catalog, Model
    from mai_sdk.engine.steps import Step
    from mai_sdk.resources.ask import Ask
    from mai_sdk.resources.core import Core
    from mai_sdk.resources.image_input import ImageInput
    from mai_sdk.resources.reply import Reply

__all__ = ["look"]


def look(
    core: Core, ask: Ask, images: ImageInput | Iterable[ImageInput]
) -> Generator[Step, Any, Reply[Any]]:
    """Plan the call, make it, and return the reply.

    It goes the way of a chat, and is booked as work on images.

    Raises:
        UnsupportedFeature: The model is known not to see, or none is known that does.
    """
    check_ask(ask)
    if ask.model is None:
        ask = replace(ask, model=_default(core.catalog))
    else:
        _, model = core.route(ask.model, "reasoning")
        if model is not None and _is_blind(model):
            raise UnsupportedFeature(_cannot(model, core.catalog))
    ask = replace(ask, images=read_for_chat(images))
    return (yield from create(core, "reasoning", ask, verb="ask", booked_as="image"))


def _default(catalog: Catalog) -> str:
    seeing = models_that_see(catalog)
    if not seeing:
        raise UnsupportedFeature("No model is known that answers about pictures. Name one.")
    return seeing[0]


def _is_blind(model: Model) -> bool:
    """Whether it is known to answer nothing about pictures; second-hand claims change nothing."""
    if model.modality not in {"reasoning", "code"}:
        return True
    return model.can("image_input") is False or model.can("image_understanding") is False


def _cannot(model: Model, catalog: Catalog) -> str:
    does = "draws and edits pictures" if model.modality == "image" else "takes no pictures"
    able = ", ".join(models_that_see(catalog)) or "none known"
    return f"{model.name} {does}, and answers no questions about them. These see: {able}."
