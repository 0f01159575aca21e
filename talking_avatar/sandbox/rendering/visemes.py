"""Mouth shapes of speech sounds, and the WAV chunk that carries them from the synthesiser to a later render."""

import struct
from collections.abc import Iterable, Iterator

import attrs

__all__ = ["Viseme", "embed_visemes", "extract_visemes", "viseme_of"]

CHUNK = b"vism"
_ENTRY = struct.Struct("<IBb")
_HEADER = struct.Struct("<4sI")


@attrs.frozen(kw_only=True)
class Viseme:
    """From *start* seconds on the mouth is *openness* open (0–1), and pursed (-1) to spread (1)."""

    start: float
    openness: float
    width: float


# The first letter of an espeak-ng phoneme name tells its family in every language; longer names are the exceptions.
_SHAPES: dict[str, tuple[float, float]] = {
    **dict.fromkeys(("a", "A", "&", "V", "aI", "aU", "A:"), (0.95, 0.15)),
    **dict.fromkeys(("E", "e", "3", "eI", "e:"), (0.6, 0.4)),
    **dict.fromkeys(("@", "I2", "@2"), (0.42, 0.1)),
    **dict.fromkeys(("i", "I", "i:"), (0.38, 0.8)),
    **dict.fromkeys(("O", "o", "0", "Q", "8", "oU", "O:"), (0.75, -0.5)),
    **dict.fromkeys(("u", "U", "u:", "y", "Y", "W"), (0.34, -0.9)),
    **dict.fromkeys(("w",), (0.22, -0.9)),
    **dict.fromkeys(("p", "b", "m"), (0.0, 0.0)),
    **dict.fromkeys(("f", "v"), (0.1, 0.25)),
    **dict.fromkeys(("S", "Z", "tS", "dZ"), (0.24, -0.5)),
    **dict.fromkeys(("r", "R"), (0.28, -0.35)),
    **dict.fromkeys(("T", "D", "l", "L"), (0.3, 0.15)),
    **dict.fromkeys(("j",), (0.25, 0.6)),
    **dict.fromkeys(("t", "d", "n", "s", "z", "c"), (0.18, 0.3)),
    **dict.fromkeys(("k", "g", "x", "h", "N", "q", "X", "C"), (0.32, 0.1)),
}


def viseme_of(phoneme: str, start: float) -> Viseme:
    """The mouth shape of an espeak-ng *phoneme*; pauses and the unknown close the mouth."""
    name = phoneme.lstrip("',%_")
    openness, width = _SHAPES.get(name) or _SHAPES.get(name[:2]) or _SHAPES.get(name[:1]) or (0.0, 0.0)
    return Viseme(start=start, openness=openness, width=width)


def embed_visemes(wav: bytes, visemes: Iterable[Viseme]) -> bytes:
    """The same RIFF file with the mouth shapes in a chunk at its end, where players do not look."""
    entries = b"".join(
        _ENTRY.pack(round(viseme.start * 1000), round(viseme.openness * 255), round(viseme.width * 127))
        for viseme in visemes
    )
    body = wav[8:] + _HEADER.pack(CHUNK, len(entries)) + entries
    return _HEADER.pack(b"RIFF", len(body)) + body


def extract_visemes(wav: bytes) -> tuple[Viseme, ...]:
    """The mouth shapes in a WAV file, in order of time; nothing for any other bytes."""
    payload = next((body for name, body in _chunks(wav) if name == CHUNK), b"")
    whole = payload[: len(payload) // _ENTRY.size * _ENTRY.size]
    visemes = (
        Viseme(start=start / 1000, openness=openness / 255, width=max(-1.0, width / 127))
        for start, openness, width in _ENTRY.iter_unpack(whole)
    )
    return tuple(sorted(visemes, key=lambda viseme: viseme.start))


def _chunks(wav: bytes) -> Iterator[tuple[bytes, bytes]]:
    if wav[:4] != b"RIFF" or wav[8:12] != b"WAVE":
        return
    position = 12
    while position + _HEADER.size <= len(wav):
        name, size = _HEADER.unpack_from(wav, position)
        position += _HEADER.size
        yield name, wav[position : position + size]
        position += size + size % 2
