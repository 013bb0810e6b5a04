from dataclasses import is_dataclass
from typing import get_args

import pytest

from mai_sdk.wire import session_events
from mai_sdk.wire.session_events import AudioChunk, SessionEvent, ToolCalled, UserTranscript


def test_every_event_is_in_the_union_and_frozen():
    kinds = {getattr(session_events, name) for name in session_events.__all__} - {SessionEvent}
    assert set(get_args(SessionEvent)) == kinds
    for kind in kinds:
        assert is_dataclass(kind)
        assert kind.__dataclass_params__.frozen
        assert not hasattr(kind, "__dict__") or "__slots__" in vars(kind)


def test_neither_audio_nor_arguments_are_shown():
    chunk = AudioChunk(pcm=b"secret", sample_rate=24000, item_id="i", response_id="r")
    assert "secret" not in repr(chunk)
    call = ToolCalled(call_id="c", name="f", arguments='{"word": "secret"}')
    assert "secret" not in repr(call)
    assert call.parse() == {"word": "secret"}


def test_arguments_the_model_got_wrong_are_a_value_error():
    with pytest.raises(ValueError, match="EOF"):
        ToolCalled(call_id="c", name="f", arguments="{").parse()
    assert ToolCalled(call_id="c", name="f", arguments="").parse() == {}


def test_a_transcript_says_how_much_of_it_will_stay():
    event = UserTranscript(text="Hello there", final=False, settled=5)
    assert event.text[: event.settled] == "Hello"
