"""Text to speech with espeak-ng, which ships as a library inside a wheel."""

import ctypes
import functools
import io
import os
import threading
import wave

from talking_avatar.sandbox.rendering.contract import BadInput, SpeechVoice, Spoken
from talking_avatar.sandbox.rendering.visemes import Viseme, embed_visemes, viseme_of

__all__ = ["VOICES", "speak"]

_RETRIEVAL, _PHONEME_EVENTS = 1, 1
_BY_CHARACTER, _UTF8 = 1, 1
_LIST_TERMINATED, _PHONEME = 0, 7
_SHORTEST = 0.4

_ENGINE_NAMES = {
    "en-US-Ava": "en-us+f3",
    "en-US-Noah": "en-us+m3",
    "en-US-Ruth": "en-us+f2",
    "en-US-Cole": "en-us+m7",
    "en-GB-Maisie": "en-gb+f4",
    "en-GB-Oliver": "en-gb+m1",
    "de-DE-Lena": "de+f3",
    "de-DE-Emil": "de+m3",
    "fr-FR-Chloe": "fr-fr+f3",
    "es-ES-Mateo": "es+m3",
    "it-IT-Giulia": "it+f2",
    "pt-BR-Davi": "pt-br+m2",
    "zh-CN-Xiulan": "cmn+f3",
}
_LANGUAGES = {
    "en": "English",
    "de": "German",
    "fr": "French",
    "es": "Spanish",
    "it": "Italian",
    "pt": "Portuguese",
    "zh": "Chinese",
}


def _voice(name: str, engine_name: str) -> SpeechVoice:
    return SpeechVoice(
        name=name,
        gender="female" if "+f" in engine_name else "male",
        language=_LANGUAGES[name[:2]],
        locale=name[:5],
        tags=("synthetic",),
    )


VOICES = tuple(_voice(name, engine_name) for name, engine_name in _ENGINE_NAMES.items())


class _EventId(ctypes.Union):
    _fields_ = (("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8))


class _Event(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _EventId),
    )


_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))


class _Engine:
    """espeak-ng keeps its state in globals, so there is one engine a process and one sentence at a time."""

    def __init__(self) -> None:
        import espeakng_loader  # noqa: PLC0415 - an optional dependency, needed once a text is spoken

        self._library = ctypes.CDLL(espeakng_loader.get_library_path())
        data = os.fsencode(espeakng_loader.get_data_path())
        self.sample_rate: int = self._library.espeak_Initialize(_RETRIEVAL, 0, data, _PHONEME_EVENTS)
        if self.sample_rate <= 0:
            raise RuntimeError(f"espeak-ng found no voices in {data!r}")
        self._lock = threading.Lock()

    def synthesise(self, text: str, voice: str) -> tuple[bytes, list[Viseme]]:
        pcm, visemes = bytearray(), list[Viseme]()

        def collect(samples: "ctypes._Pointer[ctypes.c_short]", count: int, events: "ctypes._Pointer[_Event]") -> int:
            # The last call of a sentence brings events but no samples.
            if count > 0:
                pcm.extend(ctypes.string_at(samples, count * 2))
            visemes.extend(_visemes_in(events))
            return 0

        callback = _Callback(collect)
        # The C side stops at a zero byte, and a lone surrogate has no UTF-8.
        spoken = text.replace("\0", " ").encode("utf-8", "replace")
        with self._lock:
            self._library.espeak_SetSynthCallback(callback)
            self._library.espeak_SetVoiceByName(voice.encode())
            self._library.espeak_Synth(spoken, len(spoken) + 1, 0, _BY_CHARACTER, 0, _UTF8, None, None)
            self._library.espeak_Synchronize()
        return bytes(pcm), visemes


def _visemes_in(events: "ctypes._Pointer[_Event]") -> list[Viseme]:
    visemes = list[Viseme]()
    index = 0
    while (event := events[index]).type != _LIST_TERMINATED:
        if event.type == _PHONEME:
            visemes.append(viseme_of(event.id.string.decode("utf-8", "ignore"), event.audio_position / 1000))
        index += 1
    return visemes


_engine = functools.cache(_Engine)


def speak(text: str, voice: str) -> Spoken:
    """Say *text*; a text without anything to pronounce is a moment of silence."""
    if voice not in _ENGINE_NAMES:
        raise BadInput(f"no voice is named {voice!r}", fault="unknown_name")
    engine = _engine()
    pcm, visemes = engine.synthesise(text, _ENGINE_NAMES[voice])
    pcm = pcm.ljust(2 * round(_SHORTEST * engine.sample_rate), b"\0")
    return Spoken(wav=embed_visemes(_wav(pcm, engine.sample_rate), visemes), seconds=len(pcm) / 2 / engine.sample_rate)


def _wav(pcm: bytes, sample_rate: int) -> bytes:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(sample_rate)
        file.writeframes(pcm)
    return buffer.getvalue()
