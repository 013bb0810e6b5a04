"""The acts of the demo that draw: pictures made, edited, asked about, and several at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mai_sdk.errors import InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Callable

    from mai_sdk.cli.demo_stage import Stage

__all__ = ["IMAGE_ACTS"]

_LAKE: Final = "A mountain lake at dawn"
_MODEL: Final = "MAI-Image-2.5"


def drawn(stage: Stage) -> None:
    """A picture from words, and the same picture edited."""
    with stage.act(
        "A picture from words, then the same one edited",
        'client.image.generate(...); client.image.edit("Make it night", images=lake)',
        "picture",
        "picture, edited",
    ):
        image = stage.client.image
        lake = image.generate(_LAKE, model=_MODEL, width=1024, height=1024)
        stage.save("lake.png", lake.images[0].data)
        stage.took(lake)
        night = image.edit("Make it night", images=lake, model=_MODEL)
        stage.save("lake-at-night.png", night.images[0].data)
        stage.took(night)


def several(stage: Stage) -> None:
    """Two pictures side by side, at a size the service rounds."""
    with stage.act(
        "Two pictures side by side, at a size that is rounded, and says so",
        "client.image.generate(..., width=1366, height=768, n=2)",
        "two pictures",
    ):
        made = stage.client.image.generate(
            "A forest in autumn", model=_MODEL, width=1366, height=768, n=2
        )
        stage.save("forest.png", made.images[0].data)
        for note in made.notes:
            stage.say(note)
        stage.took(made)


def refused(stage: Stage) -> None:
    """A size the model cannot draw costs nothing."""
    with stage.act(
        "A size that this model cannot draw is refused before anything is sent",
        "client.image.generate(..., width=1536, height=1024)",
    ):
        try:
            stage.client.image.generate(_LAKE, model=_MODEL, width=1536, height=1024)
        except InvalidRequest as error:
            stage.say(f"{type(error).__name__}: {error.message}", "red", lines=3)


def asked(stage: Stage) -> None:
    """A question about the picture, to a model that sees."""
    with stage.act(
        "A question about a picture goes to a model that sees",
        'client.image.ask("What is in this picture?", images=["lake.png"])',
        "picture, asked",
    ):
        lake = stage.files[0]
        reply = stage.client.image.ask("Describe what is in this picture", images=[lake])
        stage.reply(reply, lines=1)


IMAGE_ACTS: Final[tuple[Callable[[Stage], None], ...]] = (drawn, several, refused, asked)
"""All of them, in the order they are played."""
