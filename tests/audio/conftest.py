import ctypes

import pytest


@pytest.fixture(scope="session")
def speech():
    """Return real speech at 16 kHz: said by espeak-ng, resampled from its 22,050."""
    loader = pytest.importorskip("espeakng_loader")
    pytest.importorskip("soxr")
    from mai_sdk.audio.resample import Resampler

    library = ctypes.CDLL(loader.get_library_path())
    rate = library.espeak_Initialize(2, 0, loader.get_data_path().encode(), 0)
    heard = bytearray()

    @ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)
    def take(samples, count, _):
        if count > 0:
            heard.extend(ctypes.string_at(samples, 2 * count))
        return 0

    library.espeak_SetSynthCallback(take)
    text = b"The quick brown fox jumps over the lazy dog and runs into the forest."
    library.espeak_SetVoiceByName(b"en")
    library.espeak_Synth(text, len(text) + 1, 0, 0, 0, 1, None, None)
    library.espeak_Synchronize()
    resampler = Resampler(source_rate=rate, target_rate=16000)
    return resampler.feed(bytes(heard)) + resampler.finish()
