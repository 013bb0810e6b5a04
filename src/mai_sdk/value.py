"""The base of every value that users hold: frozen, and compared by what it says."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict

__all__ = ["Value"]


class Value(BaseModel):
    """A frozen value. Made once, never changed, safe to share between threads."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    _all_fields: ClassVar[set[str]] = set()

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        """Note the names of the fields, once."""
        super().__pydantic_init_subclass__(**kwargs)
        cls._all_fields = set(cls.model_fields)

    @classmethod
    def trusted(cls, **fields: Any) -> Self:
        """Return the value with these fields, each of which our own code has made.

        It is what the constructor returns for them, at half the time: nothing is checked and
        nothing is left to its default, so every field must be given, in the order of the class.
        What comes from a caller, a file or a service goes through the constructor.
        """
        made = _new(cls)
        _set_dict(made, fields)
        _set_names(made, cls._all_fields)
        _set_extra(made, None)
        _set_private(made, None)
        return made


_new = object.__new__

# The four slots of a pydantic model; its own `model_construct` looks every field up and is slower
# than validation.
_set_dict: Any = vars(BaseModel)["__dict__"].__set__
_set_names: Any = vars(BaseModel)["__pydantic_fields_set__"].__set__
_set_extra: Any = vars(BaseModel)["__pydantic_extra__"].__set__
_set_private: Any = vars(BaseModel)["__pydantic_private__"].__set__
