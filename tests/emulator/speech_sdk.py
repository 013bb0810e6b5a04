"""One use of Microsoft's own Speech SDK, in a process of its own: it is native code and may hang.

Run as a script: `speech_sdk.py <use> <JSON arguments>`; prints one JSON object.
"""

import json
import sys
import threading
import time
from pathlib import Path


def config(sdk, url, key, *, voice=None, form=None, **properties):
    made = sdk.SpeechConfig(endpoint=url, subscription=key)
    if voice:
        made.speech_synthesis_voice_name = voice
    if form:
        made.set_speech_synthesis_output_format(getattr(sdk.SpeechSynthesisOutputFormat, form))
    for name, value in properties.items():
        made.set_property_by_name(name, value)
    return made


def told(result):
    said = {"reason": result.reason.name, "bytes": len(result.audio_data)}
    if result.reason.name == "Canceled":
        details = result.cancellation_details
        said["error"] = details.error_code.name if details.error_code else None
        said["details"] = details.error_details
    return said


def speak(sdk, *, url, key, text=None, ssml=None, file=None, **rest):
    output = sdk.audio.AudioOutputConfig(filename=file) if file else None
    speaker = sdk.SpeechSynthesizer(config(sdk, url, key, **rest), audio_config=output)
    words, shapes, over = [], [], threading.Event()
    speaker.synthesis_word_boundary.connect(
        lambda w: words.append([w.text, w.audio_offset, w.boundary_type.name])
    )
    speaker.viseme_received.connect(lambda v: shapes.append([v.viseme_id, v.audio_offset]))
    for last in (speaker.synthesis_completed, speaker.synthesis_canceled):
        last.connect(lambda _: over.set())  # events come after one another, on a thread of theirs
    began = time.monotonic()
    asked = speaker.speak_ssml_async(ssml) if ssml else speaker.speak_text_async(text)
    result = told(asked.get())
    seconds = time.monotonic() - began
    over.wait(5)
    return {**result, "seconds": seconds, "words": words, "shapes": shapes}


def stream(sdk, *, url, key, pieces, **rest):
    speaker = sdk.SpeechSynthesizer(config(sdk, url, key, **rest), audio_config=None)
    request = sdk.SpeechSynthesisRequest(sdk.SpeechSynthesisRequestInputType.TextStream)
    asked = speaker.speak_async(request)
    for piece in pieces:
        request.input_stream.write(piece)
    request.input_stream.close()
    return told(asked.get())


def voices(sdk, *, url, key):
    speaker = sdk.SpeechSynthesizer(sdk.SpeechConfig(host=url, subscription=key), audio_config=None)
    result = speaker.get_voices_async().get()
    return {"reason": result.reason.name, "names": [voice.short_name for voice in result.voices]}


def recognise(sdk, *, url, key, file, **rest):
    ears = sdk.SpeechRecognizer(
        config(sdk, url, key, **rest), audio_config=sdk.audio.AudioConfig(filename=file)
    )
    result = ears.recognize_once()
    said = {"reason": result.reason.name, "text": result.text}
    if result.reason.name == "Canceled":
        said["error"] = result.cancellation_details.code.name
        said["details"] = result.cancellation_details.error_details
    return said


def listen(sdk, *, url, key, file, **rest):
    """Recognise continuously, up to the end of the file."""
    ears = sdk.SpeechRecognizer(
        config(sdk, url, key, **rest), audio_config=sdk.audio.AudioConfig(filename=file)
    )
    texts, over = [], threading.Event()
    ears.recognized.connect(lambda event: texts.append(event.result.text))
    ears.session_stopped.connect(lambda _: over.set())
    ears.start_continuous_recognition()
    over.wait(20)
    ears.stop_continuous_recognition()
    return {"texts": texts}


def hear(sdk, *, url, key, pieces, commit_after=(), **rest):
    """Recognise continuously what is pushed, piece by piece, up to the end of the stream."""
    shape = sdk.audio.AudioStreamFormat(samples_per_second=16_000, bits_per_sample=16, channels=1)
    stream = sdk.audio.PushAudioInputStream(shape)
    made = config(sdk, url, key, **rest)
    made.model = "mai-transcribe-2-streaming"
    ears = sdk.SpeechRecognizer(made, audio_config=sdk.audio.AudioConfig(stream=stream))
    heard, over = [], threading.Event()

    def noting(kind):
        def noted(event):
            result = event.result
            place = [result.offset, result.duration]
            token = getattr(result, "commit_token", None)
            heard.append([kind, result.reason.name, result.text, *place, token])

        return noted

    ears.recognizing.connect(noting("recognizing"))
    ears.recognized.connect(noting("recognized"))
    ended = []
    ears.canceled.connect(lambda event: ended.append(event.cancellation_details.reason.name))
    ears.session_stopped.connect(lambda _: over.set())
    ears.start_continuous_recognition()
    for number, piece in enumerate(pieces):
        with Path(piece).open("rb") as file:
            while audio := file.read(3200):
                stream.write(audio)
                time.sleep(0.005)
        if number in commit_after:
            stream.commit()
    stream.close()
    is_over = over.wait(20)
    ears.stop_continuous_recognition()
    return {"heard": heard, "over": is_over, "ended": ended}


if __name__ == "__main__":
    import azure.cognitiveservices.speech as speechsdk

    use = {
        "speak": speak,
        "stream": stream,
        "voices": voices,
        "recognise": recognise,
        "listen": listen,
        "hear": hear,
    }
    print(json.dumps(use[sys.argv[1]](speechsdk, **json.loads(sys.argv[2]))))
