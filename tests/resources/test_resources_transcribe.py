"""client.transcribe, in both worlds, against the emulator."""

import asyncio
import codecs
import errno
import io
import json
import logging
import math
import os
import tempfile
import threading
from decimal import Decimal
from pathlib import Path

import pytest

from emulator.speech import noise, spoken
from mai_sdk import errors
from mai_sdk.emulator.uploads import read_form
from mai_sdk.metering.memory import MemoryLedger
from mai_sdk.wire.wav import wav_header

TEXT = "Good afternoon. This is the quarterly report of Contoso. Any questions? None at all, then."


def wav(pcm, rate=16_000, **kind):
    return wav_header(len(pcm), sample_rate=rate, **kind) + pcm


@pytest.fixture
def speech(emulator):
    """A recording the emulator made itself; 4.5 seconds."""
    utterance = spoken(TEXT)
    emulator._world.ears.remember(utterance)
    return wav(utterance.pcm)


@pytest.fixture(params=["sync", "async"])
def create(request, emulator):
    """`client.transcribe.create` in either world; `settings` are the client's."""

    def call(audio, *, settings=None, **options):
        settings = settings or {}
        if request.param == "sync":
            with emulator.client(**settings) as client:
                return client.transcribe.create(audio, **options)

        async def run():
            async with emulator.async_client(**settings) as client:
                return await client.transcribe.create(audio, **options)

        return asyncio.run(run())

    return call


def definition_of(entry):
    parts = {p.name: p for p in read_form(entry.body, entry.headers["content-type"])}
    part = parts["definition"]
    return json.loads(entry.body[part.start : part.end])


def filename_of(entry):
    return read_form(entry.body, entry.headers["content-type"])[0].filename


def test_a_transcript_has_text_times_speakers_words_and_what_it_took(create, speech):
    made = create(speech, timestamps="word", diarize=True, locale="en-US", tags={"team": "a"})
    assert made.text == TEXT
    assert [segment.offset_ms for segment in made.segments] == [0, 600, 2700, 3300]
    assert made.segments[0].words[1].text == "afternoon."
    assert len(made.words) == 15
    assert (made.speakers, made.languages) == (("1",), ("en-us",))
    assert made.segments[0].confidence is None
    assert (made.duration_ms, made.audio_seconds) == (4500, 5)
    assert (made.usage.audio_seconds, made.usage.basis) == (5, "reported")
    assert made.cost.amount == Decimal("0.000138889")
    assert (made.model, made.deployment, made.attempts) == ("MAI-Transcribe-2",) * 2 + (1,)
    assert made.receipt.call_id == made.call_id
    assert made.request_id
    assert made.timing.total >= made.timing.first_byte > 0
    assert made.raw["phrases"]
    assert made.pieces == ()


def test_a_repr_shows_no_segments_and_no_raw_answer(create, speech):
    shown = repr(create(speech, timestamps="segment"))
    assert "segments" not in shown
    assert "combinedPhrases" not in shown


@pytest.mark.parametrize("kind", ["path", "text", "bytes", "bytearray", "memoryview", "file"])
def test_audio_may_be_a_path_bytes_or_a_file_object(create, emulator, speech, tmp_path, kind):
    path = tmp_path / "folder" / "täst.wav"
    path.parent.mkdir()
    path.write_bytes(speech)
    with path.open("rb") as file:
        audio = {
            "path": path,
            "text": str(path),
            "bytes": speech,
            "bytearray": bytearray(speech),
            "memoryview": memoryview(speech),
            "file": file,
        }[kind]
        assert create(audio).text == TEXT
        assert not file.closed
    entry = emulator.journal[-1]
    named = kind in ("path", "text", "file")
    assert filename_of(entry) == ("täst.wav" if named else "audio.wav")
    assert b"folder" not in entry.body


def test_a_file_object_is_read_from_where_it_stands(create, speech):
    file = io.BytesIO(b"something before" + speech)
    file.seek(16)
    assert create(file).text == TEXT


def test_a_pipe_is_read_once_and_can_still_be_sent_twice(create, emulator, speech):
    emulator.fault("status", code=503)
    reading, writing = os.pipe()
    writer = threading.Thread(target=lambda: (os.write(writing, speech[:50_000]), drain()))

    def drain():
        rest = speech[50_000:]
        while rest:
            rest = rest[os.write(writing, rest) :]
        os.close(writing)

    writer.start()
    with open(reading, "rb") as pipe:  # noqa: PTH123 - it is a descriptor
        made = create(pipe)
    writer.join()
    assert (made.text, made.attempts) == (TEXT, 2)
    assert emulator.journal[0].body_sha256 == emulator.journal[1].body_sha256


def test_nothing_temporary_is_left_behind(create, speech, tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)

    class Once(io.RawIOBase):
        def __init__(self):
            self.data = io.BytesIO(speech)

        def readable(self):
            return True

        def read(self, size=-1):
            return self.data.read(size)

    assert create(Once(), chunks=2).text == TEXT
    assert create(io.BytesIO(speech), chunks=2).text == TEXT
    assert list(tmp_path.iterdir()) == []


def closed(file):
    file.close()
    return file


class Broken(io.RawIOBase):
    def read(self, size=-1):
        raise OSError(errno.EIO, os.strerror(errno.EIO))


class BytesPath:
    def __fspath__(self):
        return b"missing.wav"


@pytest.mark.parametrize(
    ("audio", "says"),
    [
        (b"", "empty"),
        (wav(b""), "without samples"),
        ("missing.wav", "missing.wav cannot be read: No such file"),
        (Path("a\0b"), "cannot be read"),
        ("", "folder|cannot be read"),
        (None, "is a NoneType"),
        (7, "is a int"),
        (["a.wav"], "is a list"),
        (io.StringIO("text"), "opened as text"),
        (io.BytesIO(b""), "nothing left to read"),
        (codecs.getreader("utf-8")(io.BytesIO(b"text")), "gives str where bytes are needed"),
        (closed(io.BufferedReader(io.BytesIO(b"RIFF"))), "is closed"),
        (Broken(), "Input/output error"),
        (BytesPath(), "missing.wav cannot be read"),
        ("ftp://example.com/a.wav", "cannot be fetched"),
        ("https://", "cannot be fetched"),
        ("https://exa mple.com/", "cannot be fetched"),
    ],
)
def test_what_can_be_no_audio_is_refused_here_and_costs_nothing(create, emulator, audio, says):
    ledger = MemoryLedger()
    with pytest.raises(errors.InvalidRequest, match=says):
        create(audio, settings={"ledger": ledger})
    assert list(ledger.entries()) == []
    assert len(emulator.journal) == 0


def test_a_folder_and_an_empty_file_are_refused_here(create, emulator, tmp_path):
    (tmp_path / "none.wav").touch()
    with pytest.raises(errors.InvalidRequest, match=r"none\.wav is empty: 0 bytes"):
        create(tmp_path / "none.wav")
    with pytest.raises(errors.InvalidRequest, match="is a folder"):
        create(tmp_path)
    assert len(emulator.journal) == 0


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"locale": ["en", "de"]}, "locale is a list. MAI models take exactly one"),
        ({"locale": "en_US"}, "'en_US'"),
        ({"locale": ""}, "It is a language"),
        ({"phrases": "Contoso"}, "phrases must be a list"),
        ({"phrases": ["Contoso", 7]}, "no text"),
        ({"phrases": [" "]}, "an empty one"),
        ({"max_speakers": 1}, "from 2 to 35"),
        ({"max_speakers": 3, "diarize": False}, "diarize is False"),
        ({"timestamps": True}, "must be a word"),
        ({"style": ""}, "must be a word"),
        ({"chunks": 0}, "chunks is"),
        ({"chunks": float("nan")}, "chunks is"),
        ({"at_once": 0}, "at_once is"),
        ({"progress": 7}, "progress must be a function"),
        ({"model": " "}, "model is blank"),
        ({"tags": {"a": 1}}, "tags must be"),
        ({"extra_definition": [1]}, "extra_definition is a list"),
        ({"extra_definition": {"a": object()}}, "cannot be written as JSON"),
        ({"extra_headers": {"Ocp-Apim-Subscription-Key": "k"}}, "which authenticates"),
        (
            {"model": "MAI-Transcribe-1.5", "timestamps": "word"},
            "1.5 gives no timestamps",
        ),
        ({"model": "MAI-Transcribe-1.5", "style": "clean"}, "has no styles"),
        ({"model": "MAI-Transcribe-1.5", "diarize": True}, "does not tell speakers apart"),
        ({"model": "MAI-Transcribe-1.5", "max_speakers": 2}, "does not tell speakers apart"),
    ],
)
def test_what_can_be_no_request_is_refused_here(create, emulator, speech, options, says):
    with pytest.raises(errors.InvalidRequest, match=says):
        create(speech, **options)
    assert len(emulator.journal) == 0


def test_pieces_of_what_the_service_fetches_are_refused_here(create):
    with pytest.raises(errors.InvalidRequest, match="Download the file"):
        create("https://example.com/a.wav", chunks=60)


def test_a_live_model_takes_no_files_and_says_which_does(create, speech):
    with pytest.raises((errors.UnsupportedFeature, errors.NotConfigured)):
        create(speech, model="MAI-Transcribe-2-Streaming")


def test_the_escape_hatch_sends_what_we_would_refuse(create, emulator, speech):
    extra = {"enhancedMode": {"modelOptions": {"timestamps": "word"}}}
    with pytest.raises(errors.RequestRejected, match="timestamps is not supported"):
        create(speech, model="MAI-Transcribe-1.5", extra_definition=extra)
    assert definition_of(emulator.journal[-1])["enhancedMode"]["model"] == "MAI-Transcribe-1.5"


def test_a_deployment_nobody_knows_is_sent_as_it_is_named(create, emulator, speech):
    with pytest.raises(errors.RequestRejected, match="not supported"):
        create(speech, model="MAI-Transcribe-9", timestamps="word", style="clean")
    assert definition_of(emulator.journal[-1])["enhancedMode"]["model"] == "MAI-Transcribe-9"


def test_a_route_s_query_wins(create, emulator, speech, monkeypatch):
    monkeypatch.setenv("MY_KEY", emulator.key)
    routes = {
        "mine": {
            "surface": "speech",
            "endpoint": emulator.url,
            "api_key_env": "MY_KEY",
            "model": "MAI-Transcribe-2",
            "query": {"api-version": "2024-11-15"},
        }
    }
    assert create(speech, model="mine", settings={"routes": routes}).model == "MAI-Transcribe-2"
    assert emulator.journal[-1].query == "api-version=2024-11-15"


def test_silence_is_an_empty_transcript(create):
    made = create(wav(bytes(32_000)))
    assert (made.text, made.segments, made.duration_ms) == ("", (), 1000)
    assert (made.to_text(), made.to_srt(), made.to_vtt()) == ("", "", "WEBVTT\n")
    assert made.usage.audio_seconds == 1


def test_progress_is_told_from_0_at_every_try(create, emulator, speech):
    emulator.fault("status", code=503)
    told = []
    create(speech, progress=lambda sent, total: told.append((sent, total)))
    once = [sent for sent, _ in told[: len(told) // 2]]
    assert once[0] == 0
    assert once[-1] == len(speech)
    assert once == sorted(once)
    assert [sent for sent, _ in told] == once * 2
    assert {total for _, total in told} == {len(speech)}


def test_what_progress_raises_ends_the_call(create, emulator, speech):
    def stop(sent, total):
        raise RuntimeError("enough")

    ledger = MemoryLedger()
    with pytest.raises(RuntimeError, match="enough"):
        create(speech, progress=stop, settings={"ledger": ledger})
    assert [entry.state for entry in ledger.entries()] == ["unknown"]
    emulator.journal.wait(1)  # else half a request would come into the next test's journal


def test_a_file_object_that_cannot_be_wound_back_any_more_is_not_read_from_elsewhere(
    create, emulator, speech
):
    class Stuck(io.BytesIO):
        def seek(self, at, whence=os.SEEK_SET):
            if whence == os.SEEK_SET and self.tell():
                raise ValueError("no")
            return super().seek(at, whence)

    with pytest.raises(errors.InvalidRequest, match="cannot be read"):
        create(Stuck(speech))
    assert len(emulator.journal) == 0


def test_a_file_that_shrinks_while_it_is_sent_ends_the_call(create, emulator, speech, tmp_path):
    path = tmp_path / "a.wav"
    path.write_bytes(speech)

    def cut(sent, total):
        with path.open("r+b") as file:
            file.truncate(1000)

    with pytest.raises(errors.InvalidRequest, match="became shorter"):
        create(path, progress=cut)
    emulator.journal.wait(1)


@pytest.mark.parametrize("status", [408, 500, 503, 429])
def test_a_failure_that_may_pass_is_retried_with_the_same_bytes(create, emulator, speech, status):
    emulator.fault("speech_error", code=status)
    made = create(speech)
    assert (made.text, made.attempts) == (TEXT, 2)
    first, second = emulator.journal
    assert first.body_sha256 == second.body_sha256
    assert made.usage.audio_seconds == 5
    assert (made.cost.amount is None) == (status in (408, 500))


@pytest.mark.parametrize("shape", ["error", "top", "text"])
def test_a_failure_keeps_its_words_and_leaves_one_receipt_a_try(create, emulator, speech, shape):
    emulator.fault("speech_error", shape=shape, times=None)
    ledger = MemoryLedger()
    with pytest.raises(errors.ServiceUnavailable, match="temporarily unavailable") as caught:
        create(speech, settings={"ledger": ledger, "max_retries": 1})
    assert caught.value.attempts == 2
    assert [entry.state for entry in ledger.entries()] == ["released", "released"]
    assert "15 minutes" not in caught.value.message


def test_a_failed_diarization_of_long_audio_says_what_is_known_of_it(create, emulator, caplog):
    emulator.fault("speech_error", code=408, times=None)
    long = wav(bytes(16_000 * 60 * 16), rate=8000, bits=8)[:-40_000]
    with pytest.raises(errors.ServiceUnavailable, match="chunks=600"):
        create(long, diarize=True, settings={"max_retries": 0})
    assert "15 minutes" in caplog.text


@pytest.mark.parametrize("fault", ["bad_json", "empty_200", "html_200"])
def test_an_answer_that_is_none_is_said_to_be_unreadable(create, emulator, speech, fault):
    emulator.fault(fault, times=None)
    with pytest.raises(errors.UnreadableAnswer):
        create(speech)


@pytest.mark.parametrize("fault", ["close", "reset"])
def test_an_answer_cut_off_is_asked_for_once_more(create, emulator, speech, fault):
    emulator.fault(fault, byte=20)
    made = create(speech)
    assert (made.text, made.attempts) == (TEXT, 2)
    assert made.cost.amount is None
    assert "may have run" in made.cost.reason


def test_neither_phrases_nor_a_url_s_signature_show_up_in_an_error(create, emulator):
    emulator.fault(
        "speech_error", message="Bad: a very secret project name, sig=abcdefghijklmnop", code=400
    )
    with pytest.raises(errors.RequestRejected) as caught:
        create(
            "https://example.com/a.wav?sig=abcdefghijklmnop",
            phrases=["a very secret project name"],
        )
    assert "secret project" not in str(caught.value)


def test_an_unknown_duration_is_estimated_from_the_file_and_else_unknown(create, emulator, speech):
    emulator.fault("no_usage", times=None)
    made = create(speech)
    assert (made.usage.audio_seconds, made.usage.basis) == (5, "estimated")
    assert (made.duration_ms, made.cost.status) == (4500, "estimated")
    soundfile = pytest.importorskip("soundfile")
    flac = io.BytesIO()
    with soundfile.SoundFile(flac, "w", samplerate=16_000, channels=1, format="FLAC") as file:
        file.buffer_write(speech[44:], dtype="int16")
    made = create(flac.getvalue())
    assert (made.duration_ms, made.audio_seconds, made.usage.basis) == (None, None, "unknown")
    assert made.cost.amount is None
    assert "not known" in made.cost.reason


def test_size_and_length_over_the_limits_only_warn(create, emulator, speech, caplog, monkeypatch):
    monkeypatch.setenv("MY_KEY", emulator.key)
    mine = {"surface": "speech", "endpoint": emulator.url, "api_key_env": "MY_KEY"}
    routes = {"mine": {**mine, "model": "Ours", "deployment": "MAI-Transcribe-2"}}
    caplog.set_level(logging.WARNING, "mai_sdk")
    for name, value in ("audio_bytes", 1000), ("audio_seconds", 3):
        limit = {"name": name, "value": value, "source": "our gateway", "checked": "2026-11-25"}
        ours = {"name": "Ours", "modality": "transcribe", "surfaces": ["speech"]}
        models = {"model": [{**ours, "limits": [limit]}]}
        made = create(speech, model="mine", settings={"models": models, "routes": routes})
        assert made.text == TEXT
        assert "may refuse it" in caplog.text
        caplog.clear()
    create(speech)
    assert caplog.text == ""


def test_the_worst_case_is_reserved_from_the_file_s_own_length(create, emulator, speech, tmp_path):
    emulator.fault("status", code=400)
    with pytest.raises(errors.RequestRejected):
        create(speech, settings={"ledger": str(tmp_path / "mai.db")})
    from mai_sdk.metering.ledger import open_ledger

    ledger = open_ledger(str(tmp_path / "mai.db"))
    bounds = [entry.upper_bound.amount for entry in ledger.entries()]
    ledger.close()
    assert bounds == [Decimal("0.000138889")]


class TestInPieces:
    def test_pieces_give_the_words_and_times_of_the_whole(self, create, emulator, speech):
        whole = create(speech, timestamps="word")
        made = create(speech, timestamps="word", chunks=2)
        assert made.text == whole.text == TEXT
        assert made.words == whole.words
        assert made.duration_ms == whole.duration_ms
        assert len(made.pieces) == 3
        assert all(piece.duration_ms <= 2000 for piece in made.pieces)
        assert sum(piece.duration_ms for piece in made.pieces) == 4500

    def test_each_is_a_call_of_its_own_on_one_receipt(self, create, speech):
        ledger = MemoryLedger()
        made = create(speech, chunks=2, settings={"ledger": ledger})
        entries = list(ledger.entries())
        assert {entry.attempt_id for entry in entries} == {a.id for a in made.receipt.attempts}
        assert [attempt.number for attempt in made.receipt.attempts] == [1, 2, 3]
        assert made.attempts == 3
        assert [piece.receipt.call_id for piece in made.pieces] == [p.call_id for p in made.pieces]
        assert made.cost.amount == sum(p.receipt.cost.amount for p in made.pieces)
        seconds = [math.ceil(piece.duration_ms / 1000) for piece in made.pieces]
        assert made.usage.audio_seconds == sum(seconds)
        assert [each["durationMilliseconds"] for each in made.raw] == [
            piece.duration_ms for piece in made.pieces
        ]

    def test_a_speaker_s_number_holds_within_a_piece(self, create, speech):
        made = create(speech, diarize=True, timestamps="segment", chunks=2)
        assert made.speakers == ("1.1", "2.1", "3.1")
        assert made.to_text().startswith("Speaker 1.1: Good afternoon.")

    def test_a_piece_that_fails_leaves_the_others_on_partial(self, create, emulator, speech):
        emulator.fault("status", code=400)
        with pytest.raises(errors.RequestRejected, match=r"Piece \d of 3 failed") as caught:
            create(speech, chunks=2)
        partial = caught.value.partial
        assert [piece.error for piece in partial.pieces].count("RequestRejected") == 1
        assert 0 < len(partial.text) < len(TEXT)
        assert caught.value.receipt == partial.receipt
        assert caught.value.attempts == 3

    def test_what_would_befall_every_piece_is_not_tried_with_every_piece(
        self, create, emulator, speech
    ):
        emulator.fault("key_echo", times=None)
        with pytest.raises(errors.AuthenticationFailed) as caught:
            create(speech, chunks=1, at_once=1)
        assert len(emulator.journal) == 1
        assert [piece.call_id is None for piece in caught.value.partial.pieces][1:] == [True] * (
            len(caught.value.partial.pieces) - 1
        )

    def test_a_ledger_that_fails_does_not_take_paid_pieces_with_it(self, create, speech):
        class Full(MemoryLedger):
            left = 2

            def reserve(self, entry):
                if not self.left:
                    raise errors.LedgerError("The disk is full.")
                self.left -= 1
                super().reserve(entry)

        with pytest.raises(errors.CallFailed, match=r"Piece 3 of 3 failed.*disk is full") as caught:
            create(speech, chunks=2, at_once=1, settings={"ledger": Full()})
        assert isinstance(caught.value.__cause__, errors.LedgerError)
        assert caught.value.partial.text in TEXT
        assert len(caught.value.receipt.attempts) == 2
        Full.left = 0
        with pytest.raises(errors.LedgerError):
            create(speech, chunks=2, settings={"ledger": Full()})

    def test_a_piece_is_retried_like_any_call(self, create, emulator, speech):
        emulator.fault("status", code=503)
        made = create(speech, chunks=2)
        assert (made.text, made.attempts) == (TEXT, 4)

    def test_no_more_are_under_way_than_were_asked_for(self, create, emulator, speech):
        open_now, most, lock = [0], [0], threading.Lock()
        original = emulator.app._routes["POST", "/speechtotext/transcriptions:transcribe"]

        def counting(request):
            with lock:
                open_now[0] += 1
                most[0] = max(most[0], open_now[0])
            try:
                return original(request)
            finally:
                with lock:
                    open_now[0] -= 1

        key = ("POST", "/speechtotext/transcriptions:transcribe")
        emulator.app._routes[key] = counting
        try:
            assert create(speech, chunks=1, at_once=2).text == TEXT
        finally:
            emulator.app._routes[key] = original
        assert most[0] <= 2

    def test_progress_counts_all_of_them_together(self, create, speech):
        told = []
        create(speech, chunks=2, progress=lambda sent, total: told.append((sent, total)))
        assert told[-1][0] == told[-1][1] == len(speech) + 2 * 44

    def test_a_recording_that_is_short_enough_is_sent_whole(self, create, emulator, speech):
        assert create(speech, chunks=60).pieces == ()
        assert len(emulator.journal) == 1

    @pytest.mark.parametrize("kind", ["FLAC", "OGG"])
    def test_other_formats_are_decoded_where_soundfile_is(self, create, emulator, speech, kind):
        soundfile = pytest.importorskip("soundfile")
        made = io.BytesIO()
        with soundfile.SoundFile(made, "w", samplerate=16_000, channels=1, format=kind) as file:
            file.buffer_write(speech[44:], dtype="int16")
        made.seek(0)
        if kind == "OGG":
            emulator.reply("Heard.", times=None)
        transcript = create(made, chunks=2)
        assert len(transcript.pieces) == 3
        assert transcript.text == (TEXT if kind == "FLAC" else "Heard. Heard. Heard.")

    def test_without_soundfile_it_says_what_to_install(self, create, monkeypatch):
        monkeypatch.setattr("mai_sdk.resources.pieces.import_module", _missing)
        with pytest.raises(errors.UnsupportedFeature, match=r"mai-sdk\[audio\]"):
            create(b"fLaC" + bytes(1000), chunks=2)

    def test_what_is_no_audio_is_refused_here(self, create):
        pytest.importorskip("soundfile")
        with pytest.raises(errors.InvalidRequest, match="cannot be read as audio") as caught:
            create(noise("no audio", 5000), chunks=2)
        assert tempfile.gettempdir() not in caught.value.message, "a path is nobody's business"


def _missing(name):
    raise ImportError(name)


def test_a_cancelled_call_of_pieces_leaves_a_row_for_each_that_was_sent(emulator, speech):
    def arrived(number):
        while len(emulator.journal) < number:
            threading.Event().wait(0.005)

    emulator.fault("stall", times=None)
    ledger = MemoryLedger()

    async def run():
        async with emulator.async_client(ledger=ledger) as client:
            task = asyncio.ensure_future(client.transcribe.create(speech, chunks=2))
            await asyncio.to_thread(arrived, 3)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(run())
    emulator.release()
    assert [entry.state for entry in ledger.entries()] == ["unknown"] * 3


@pytest.mark.parametrize("chunks", [None, 2])
def test_a_call_cancelled_while_it_copies_leaves_nothing_temporary_behind(
    emulator, speech, tmp_path, monkeypatch, chunks
):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    copying, go_on = threading.Event(), threading.Event()

    class Pipe(io.RawIOBase):
        data = io.BytesIO(speech)

        def read(self, size=-1):
            copying.set()
            go_on.wait(5)
            return self.data.read(size)

    async def run():
        async with emulator.async_client() as client:
            task = asyncio.ensure_future(client.transcribe.create(Pipe(), chunks=chunks))
            await asyncio.to_thread(copying.wait, 5)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            go_on.set()

    asyncio.run(run())
    assert list(tmp_path.iterdir()) == []
    assert len(emulator.journal) == 0


def test_a_transcript_is_saved_as_its_suffix_says(emulator, speech, tmp_path):
    with emulator.client() as client:
        made = client.transcribe.create(speech, timestamps="segment")
    assert made.save(tmp_path / "a.txt").read_text() == TEXT + "\n"
    assert made.save(tmp_path / "a.srt").read_text().startswith("1\n00:00:00,000 --> ")
    assert made.save(str(tmp_path / "a.VTT")).read_text().startswith("WEBVTT\n\n00:00:00.000")
    assert json.loads(made.save(tmp_path / "a.json").read_text())["text"] == TEXT
    with pytest.raises(errors.InvalidRequest, match=r"\.srt"):
        made.save(tmp_path / "a.docx")
    with pytest.raises(errors.InvalidRequest, match="without suffix"):
        made.save(tmp_path / "a")


def test_without_times_there_are_no_subtitles_and_it_says_why(emulator, speech):
    with emulator.client() as client, pytest.raises(errors.InvalidRequest, match="timestamps"):
        client.transcribe.create(speech).to_srt()


def test_a_file_object_that_gives_no_bytes_is_refused_in_a_sentence(create, emulator, tmp_path):
    path = tmp_path / "a.wav"
    path.write_bytes(wav(bytes(32_000)))
    with (
        path.open(encoding="latin-1") as text,
        pytest.raises(errors.InvalidRequest, match=r"bytes are needed|mode 'rb'"),
    ):
        create(text)
    with path.open("rb") as closed:
        pass
    with pytest.raises(errors.InvalidRequest, match="cannot be read"):
        create(closed)
    assert not emulator.journal
