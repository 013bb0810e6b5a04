"""MAI's services on this machine: chat and images of Foundry, and vLLM, with scripted faults.

```python
from mai_sdk.emulator import Emulator

with Emulator() as emulator:
    client = emulator.client()
```

It takes one published key, `EMULATOR_KEY`, listens on loopback only, and makes up its replies.
"""

from mai_sdk.emulator.app import FAULT_HEADER
from mai_sdk.emulator.emulator import Emulator, serve
from mai_sdk.emulator.faults import FAULTS, Fault
from mai_sdk.emulator.journal import Journal, JournalEntry
from mai_sdk.emulator.live_flags import LiveFlags
from mai_sdk.emulator.request import Request
from mai_sdk.emulator.vllm_server import VLLMFlags
from mai_sdk.emulator.world import EMULATOR_KEY, EMULATOR_TOKEN

__all__ = [
    "EMULATOR_KEY",
    "EMULATOR_TOKEN",
    "FAULTS",
    "FAULT_HEADER",
    "Emulator",
    "Fault",
    "Journal",
    "JournalEntry",
    "LiveFlags",
    "Request",
    "VLLMFlags",
    "serve",
]
