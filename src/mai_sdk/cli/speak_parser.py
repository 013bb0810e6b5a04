"""The options of `mai speak`, with their help. Imports nothing that takes time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from mai_sdk.cli.options import positive
from mai_sdk.cli.parts import add_call, add_speech

if TYPE_CHECKING:
    import argparse

__all__ = ["add_speak"]

_EXAMPLES: Final = """\
examples:
  mai speak "Hello there." --out hello.wav
  mai speak - --voice de-DE-Mia --out - < text.txt | aplay
  mai speak --emulator "Hello there."            offline, bills nothing
  mai speak --voices --locale en                 who can be asked for

The key is read from the environment (MAI_SPEECH_API_KEY), never from the
command line, which others on this machine can see.
"""


def add_speak(command: Any) -> None:
    """Add the command's parser."""
    speak: argparse.ArgumentParser = command(
        "speak",
        "speak a text into a file, or list the voices",
        "Speak a text with a MAI voice and save it. What the call used and cost goes to\n"
        "stderr: characters, counted here by the published rule.",
        _EXAMPLES,
    )
    speak.add_argument("text", nargs="?", metavar="TEXT", help="what to say, or - for stdin")
    speak.add_argument(
        "--voice", metavar="NAME", help="as en-US-Harper (default), or with its :Model"
    )
    speak.add_argument(
        "--model", metavar="NAME", help="a model or a route of mai.toml (default: MAI-Voice-2.1)"
    )
    speak.add_argument("--style", metavar="NAME", help="as excited, if the voice knows it")
    speak.add_argument("--rate", type=positive, metavar="R", help="1.15 is 15 %% faster")
    speak.add_argument("--language", metavar="TAG", help="of the text, if not the voice's own")
    speak.add_argument(
        "--format",
        metavar="NAME",
        help="wav, pcm, mp3, opus ..., as wav-16khz (default: what --out is called, or wav)",
    )
    speak.add_argument(
        "--out", metavar="FILE", help="where to write, or - for stdout (default: speech.wav)"
    )
    speak.add_argument("--ssml", action="store_true", help="TEXT is SSML, sent as it is")
    speak.add_argument("--voices", action="store_true", help="list the known voices, and leave")
    speak.add_argument(
        "--live", action="store_true", help="with --voices: ask the service, instead of the catalog"
    )
    speak.add_argument("--locale", metavar="TAG", help="with --voices: only en-US, or en")
    add_call(speak)
    speak.add_argument("--json", action="store_true", help="print what came of it as JSON")
    speak.add_argument(
        "--emulator", action="store_true", help="ask a built-in emulator, which speaks for itself"
    )
    add_speech(speak)
