"""A headless Chromium, spoken to over its own protocol: how a page looks, measured and drawn."""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
import tempfile
from contextlib import ExitStack
from itertools import count
from typing import Any, Self

from websockets.sync.client import connect

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")


def find_browser() -> str | None:
    """Return where a Chromium is; None if this machine has none."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


class Browser:
    """One browser with one page, until the block ends."""

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            folder = stack.enter_context(
                tempfile.TemporaryDirectory(prefix="mai-look-", ignore_cleanup_errors=True)
            )
            process = stack.enter_context(
                subprocess.Popen(
                    [
                        *(find_browser() or "", "--headless", "--no-sandbox", "--disable-gpu"),
                        *("--no-first-run", "--disable-dev-shm-usage", "--hide-scrollbars"),
                        *("--disable-background-networking", "--remote-debugging-port=0"),
                        *(f"--user-data-dir={folder}", "about:blank"),
                    ],
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.PIPE,
                    text=True,
                )
            )
            stack.callback(process.kill)
            said = process.stderr or ()
            found = next((at for line in said if (at := re.search(r"ws://\S+", line))), None)
            assert found is not None, "The browser did not start."
            self._ids = count(1)
            self._socket = stack.enter_context(connect(found[0], max_size=None, proxy=None))
            targets = self._ask("Target.getTargets")["targetInfos"]
            page = next(each["targetId"] for each in targets if each["type"] == "page")
            attached = self._ask("Target.attachToTarget", targetId=page, flatten=True)
            self._session = attached["sessionId"]
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    _session: str | None = None

    def _ask(self, method: str, **params: Any) -> dict[str, Any]:
        number = next(self._ids)
        message = {"id": number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        self._socket.send(json.dumps(message))
        while True:
            said = json.loads(self._socket.recv(timeout=20))
            if said.get("id") == number:
                assert "error" not in said, said
                result: dict[str, Any] = said["result"]
                return result

    def show(self, html: str, *, width: int, scheme: str = "light", media: str = "screen") -> None:
        """Show the page, `width` pixels wide."""
        self._ask(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=900, deviceScaleFactor=1, mobile=width < 500,
        )  # fmt: skip
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self._ask("Emulation.setEmulatedMedia", media=media, features=features)
        frame = self._ask("Page.getFrameTree")["frameTree"]["frame"]["id"]
        self._ask("Page.setDocumentContent", frameId=frame, html=html)

    def evaluate(self, script: str) -> Any:
        """Return what an expression comes to in the page."""
        said = self._ask("Runtime.evaluate", expression=script, returnByValue=True)
        return said["result"].get("value")

    def picture(self) -> bytes:
        """Return the whole page as PNG."""
        made = self._ask("Page.captureScreenshot", captureBeyondViewport=True, format="png")
        return base64.b64decode(made["data"])
