"""What `client.image` gives back: pictures, and what they took."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ConfigDict, Field

from mai_sdk.errors import UnsupportedFeature
from mai_sdk.metering.cost import Cost
from mai_sdk.metering.receipt import Receipt, Timing
from mai_sdk.metering.usage import Usage
from mai_sdk.value import Value

if TYPE_CHECKING:
    from os import PathLike

    from PIL.Image import Image as PillowImage

__all__ = ["Images", "Picture"]


class Picture(Value):
    """One picture. Give it back to `edit` or `ask` as it is."""

    model_config = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")

    data: bytes = Field(repr=False)
    """The file as it came: a PNG."""
    width: int | None
    """In pixels, from the file itself; None if it is no PNG."""
    height: int | None
    revised_prompt: str | None = Field(default=None, repr=False)
    """What the service made of the prompt, where it says so."""
    request_id: str | None = None
    """The service's id for the request this came from: quote it to support."""

    def save(self, path: str | PathLike[str]) -> Path:
        """Write the file, over what was there, and return its path; folders must exist.

        Raises:
            OSError: It cannot be written.
        """
        target = Path(path)
        target.write_bytes(self.data)
        return target

    def open(self) -> PillowImage:
        """Return it as a Pillow image (extra `[pillow]`).

        Raises:
            UnsupportedFeature: Pillow is not installed.
        """
        try:
            from PIL import Image
        except ImportError:
            raise UnsupportedFeature(
                'Opening a picture needs the package Pillow: pip install "mai-sdk[pillow]". Its '
                "bytes are on `data` without it."
            ) from None
        return Image.open(BytesIO(self.data))

    def _repr_png_(self) -> bytes:
        """Show it in a notebook."""
        return self.data


class Images(Value):
    """The pictures of one call, and what they took."""

    images: tuple[Picture, ...]
    """One for each of `n`; on an error's `partial`, those that came."""
    notes: tuple[str, ...] = ()
    """What came out otherwise than it was asked for, such as a size rounded down, in sentences."""
    usage: Usage
    """What the call used, over all its attempts."""
    cost: Cost
    """What the call cost, over all its attempts."""
    model: str | None
    """The catalog's name, from the route; else what the service says answered."""
    deployment: str | None
    call_id: str
    """Our id: the key into the ledger."""
    request_id: str | None
    """The service's id for the last attempt; every picture has that of its own."""
    attempts: int
    """How many requests it took: at least one a picture."""
    timing: Timing
    """To the first byte of the first picture, and to the last byte of the last."""
    receipt: Receipt = Field(repr=False)
    """Usage and cost attempt by attempt."""
    raw: tuple[Any, ...] = Field(default=(), repr=False)
    """What the service said, untouched: one answer for each request that succeeded."""
