"""LoRA adapters of the emulated vLLM server: which are loaded, and loading and unloading them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from mai_sdk.emulator.chat import Problem
from mai_sdk.emulator.request import Answer, Request, text_answer
from mai_sdk.emulator.vllm_errors import HEADERS, failure, invalid, unreadable

if TYPE_CHECKING:
    from mai_sdk.emulator.vllm_server import VLLMFlags

__all__ = ["Adapters"]


class Adapters:
    """The adapters of one server."""

    def __init__(self, flags: VLLMFlags) -> None:
        self._flags = flags
        self.restart()

    def restart(self) -> None:
        """Go back to the adapters the server was started with."""
        self.loaded: dict[str, str] = dict(self._flags.lora_modules)
        """Name to path."""

    def load(self, request: Request) -> Answer:
        """Load an adapter. Nothing is read from disk: the path's last part decides.

        A name that begins with "missing" or "nope" is not there, and one that ends in `r` and a
        number has that rank.
        """
        raw = _body(request, "lora_name", "lora_path")
        if isinstance(raw, Answer):
            return raw
        name, path = str(raw["lora_name"]), str(raw["lora_path"])
        if not name or not path:
            return _user_error("Both 'lora_name' and 'lora_path' must be provided.")
        if name in self._flags.served_model_name:
            return _user_error(f"The lora adapter '{name}' conflicts with a served base model.")
        if name in self.loaded and not raw.get("load_inplace"):
            return _user_error(
                f"The lora adapter '{name}' has already been loaded. If you want to load the "
                "adapter in place, set 'load_inplace' to True."
            )
        folder = path.rstrip("/").rpartition("/")[2]
        if folder.startswith(("missing", "nope")):
            message = f"Loading lora {name} failed: No adapter found for {path}"
            return failure(404, message, kind="NotFoundError")
        rank = re.search(r"r(\d+)$", folder)
        if rank and int(rank[1]) > self._flags.max_lora_rank:
            return failure(
                500,
                "Call to add_lora method failed: Worker failed with error 'LoRA rank "
                f"{rank[1]} is greater than max_lora_rank {self._flags.max_lora_rank}.', please "
                "check the stack trace above for the root cause",
                kind="InternalServerError",
            )
        self.loaded[name] = path
        message = f"Success: LoRA adapter '{name}' added successfully."
        return text_answer(message, headers=HEADERS)

    def unload(self, request: Request) -> Answer:
        """Unload an adapter."""
        raw = _body(request, "lora_name")
        if isinstance(raw, Answer):
            return raw
        name = str(raw["lora_name"])
        if self.loaded.pop(name, None) is None:
            message = f"The lora adapter '{name}' cannot be found."
            return failure(404, message, kind="NotFoundError")
        return text_answer(f"Success: LoRA adapter '{name}' removed successfully.", headers=HEADERS)


def _body(request: Request, *needed: str) -> dict[str, Any] | Answer:
    wrong = unreadable(request)
    if wrong is not None:
        return wrong
    raw: dict[str, Any] = request.json
    for name in needed:
        if name not in raw:
            return invalid(Problem("missing", name, "Field required", raw, None))
    return raw


def _user_error(message: str) -> Answer:
    return failure(400, message, kind="InvalidUserInput")
