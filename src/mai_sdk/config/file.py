"""`mai.toml`, read and checked: known keys only, and never a key of a service."""

from __future__ import annotations

import tomllib
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from mai_sdk.config.settings import SETTINGS
from mai_sdk.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

__all__ = ["check_keys", "read_file"]

_KEYS = tuple(setting.toml for setting in SETTINGS.values() if setting.toml is not None)
_SECRETS = {s.keyword: s.toml for s in SETTINGS.values() if s.secret} | {"api_key": "api_key_env"}


def read_file(path: Path) -> dict[str, Any]:
    """Return what the file says, its top-level keys checked.

    Raises:
        ConfigurationError: It cannot be read, is not TOML, has a key that means nothing, or holds
            a service's key itself.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{path} is not valid TOML: {error}.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} cannot be read: {error}.") from error
    check_keys(content, _KEYS, where=str(path))
    return content


def check_keys(given: Iterable[str], known: Iterable[str], *, where: str) -> None:
    """Refuse a key that means nothing, with the nearest that does, and a key of a service.

    Raises:
        ConfigurationError: There is one.
    """
    allowed = tuple(known)
    for key in given:
        if key in allowed:
            continue
        if key in _SECRETS:
            raise ConfigurationError(
                f"{where} holds a key under {key!r}, and files get committed. Put the key into an "
                f"environment variable and write the variable's name: "
                f'{_SECRETS[key]} = "NAME_OF_THE_VARIABLE".'
            )
        near = get_close_matches(key, allowed, n=1)
        hint = f"Did you mean {near[0]!r}?" if near else f"Known are: {', '.join(allowed)}."
        raise ConfigurationError(f"{where} has {key!r}, which is no setting. {hint}")
