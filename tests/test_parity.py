"""Sync and async have the same names and the same parameters."""

import inspect

import pytest

from mai_sdk import MAI, AsyncMAI
from mai_sdk.engine.drive import AsyncDriver, Driver
from mai_sdk.resources.chat import AsyncChat, Chat
from mai_sdk.resources.image import AsyncImage, Image
from mai_sdk.resources.stream import AsyncReplyStream, ReplyStream
from mai_sdk.resources.transcribe import AsyncTranscribe, Transcribe
from mai_sdk.resources.voice import AsyncSpeechStream, AsyncVoice, SpeechStream, Voice

PAIRS = [
    (MAI, AsyncMAI),
    (Chat, AsyncChat),
    (Transcribe, AsyncTranscribe),
    (Image, AsyncImage),
    (ReplyStream, AsyncReplyStream),
    (Voice, AsyncVoice),
    (SpeechStream, AsyncSpeechStream),
    (Driver, AsyncDriver),
]
STREAMS = (ReplyStream, SpeechStream)
RENAMED = {
    "close": "aclose",
    "__enter__": "__aenter__",
    "__exit__": "__aexit__",
    "__iter__": "__aiter__",
}
NOT_MIRRORED = {"_audio", "_begin_items", "dialler", "session"}
"""Sessions are async only: both sides speak at once."""


def members(kind):
    return {
        name: value
        for name, value in inspect.getmembers(kind)
        if (inspect.isfunction(value) and value.__module__.startswith("mai_sdk"))
        or isinstance(value, property)
        or type(value).__name__ == "cached_property"
    }


@pytest.mark.parametrize(("sync", "asynchronous"), PAIRS)
def test_both_worlds_have_the_same_names(sync, asynchronous):
    expected = {RENAMED.get(name, name) for name in members(sync)}
    assert expected == set(members(asynchronous)) - NOT_MIRRORED


@pytest.mark.parametrize(("sync", "asynchronous"), PAIRS)
def test_both_worlds_take_the_same_parameters(sync, asynchronous):
    for name, value in members(sync).items():
        if not inspect.isfunction(value) or (name == "__init__" and sync in (*STREAMS, Driver)):
            continue
        twin = getattr(asynchronous, RENAMED.get(name, name))
        ours = inspect.signature(value).parameters
        theirs = inspect.signature(twin).parameters
        assert list(ours) == list(theirs), name
        for each in ours:
            assert ours[each].kind is theirs[each].kind, (name, each)
            assert ours[each].default == theirs[each].default, (name, each)


@pytest.mark.parametrize("kind", [Chat, AsyncChat])
def test_everything_after_the_first_argument_is_keyword_only(kind):
    for name in ("create", "stream", "count_tokens"):
        first, prompt, *rest = inspect.signature(getattr(kind, name)).parameters.values()
        assert (first.name, prompt.name) == ("self", "prompt")
        assert all(each.kind is each.KEYWORD_ONLY for each in rest)


@pytest.mark.parametrize("kind", [Image, AsyncImage])
def test_everything_after_what_is_asked_of_images_is_keyword_only(kind):
    for name, wording in ("generate", "prompt"), ("edit", "prompt"), ("ask", "question"):
        first, asked, *rest = inspect.signature(getattr(kind, name)).parameters.values()
        assert (first.name, asked.name) == ("self", wording)
        assert all(each.kind is each.KEYWORD_ONLY for each in rest)


def test_generate_and_edit_take_the_same_parameters_but_for_the_pictures():
    generate = list(inspect.signature(Image.generate).parameters)
    edit = list(inspect.signature(Image.edit).parameters)
    assert [name for name in edit if name != "images"] == generate


def test_create_and_stream_take_the_same_parameters():
    create = inspect.signature(Chat.create).parameters
    assert list(create) == list(inspect.signature(Chat.stream).parameters)


@pytest.mark.parametrize("kind", [Voice, AsyncVoice])
def test_speaking_takes_one_text_and_the_rest_by_name(kind):
    taken = []
    for name in ("synthesize", "stream"):
        first, text, *rest = inspect.signature(getattr(kind, name)).parameters.values()
        assert (first.name, text.name) == ("self", "text")
        assert all(each.kind is each.KEYWORD_ONLY for each in rest)
        taken.append([each.name for each in rest])
    more = {"boundaries", "visemes", "text_streaming"}
    assert taken[0] == [name for name in taken[1] if name not in more]
