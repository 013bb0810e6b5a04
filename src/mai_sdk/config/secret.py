"""Keys and tokens, held so that they cannot leak by accident.

A secret has no repr, no pickle and no JSON form, and is checked when it is made:
what could never be sent as a header is refused here, before a network library can print it.
"""

from __future__ import annotations

from typing import NoReturn

from mai_sdk.errors import InvalidCredential

__all__ = ["Secret"]


class Secret:
    """A key or token. `reveal()` is the one way to its text.

    Raises:
        InvalidCredential: The text is empty, or holds a space, a line break or a character
            outside printable ASCII. The message never repeats it.
    """

    __slots__ = ("_text", "origin_name")

    def __init__(self, text: str, *, name: str = "api_key") -> None:
        self.origin_name = name
        """Where the secret came from, for messages: "foundry_api_key", "MAI_FOUNDRY_API_KEY"."""
        if not text:
            raise InvalidCredential(f"{name} is empty. Set it to the key shown in the portal.")
        if not all("!" <= character <= "~" for character in text):
            raise InvalidCredential(
                f"{name} holds a line break, a space or a non-ASCII character, so it cannot be "
                f"sent as a header. It was probably pasted with its surroundings: strip it."
            )
        self._text = text

    def reveal(self) -> str:
        """Return the text itself; only the code that writes the header calls this."""
        return self._text

    def __repr__(self) -> str:
        return "Secret(***)"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return "Secret(***)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(("Secret", self._text))

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret cannot be pickled: pass the key to the other process yourself")
