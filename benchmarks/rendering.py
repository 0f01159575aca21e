"""How long the studio takes for ten seconds of video: ``python -m benchmarks rendering``."""

import argparse
import json
import platform
import statistics
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version

from talking_avatar.sandbox.rendering.contract import Layer, Rendered
from talking_avatar.sandbox.rendering.samples import portrait_jpeg, speech_wav
from talking_avatar.sandbox.rendering.studio import Studio

TEXT = (
    "This text is read aloud for about ten seconds, so that a render has something to do. The mouth follows each "
    "sound of it, the eyes blink now and then, and the head moves a little."
)
LIBRARIES = ("av", "espeakng-loader", "numpy", "opencv-python-headless")


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(argv)
    report = measure(options.runs)
    print(json.dumps(report, indent=2) if options.json else as_text(report))


def measure(runs: int) -> dict[str, object]:
    studio, photo = Studio(), portrait_jpeg()
    ten, short = studio.speak(TEXT, studio.voices()[0].name).wav, speech_wav(studio)
    traits = studio.make_character(photo).traits
    layers = (
        Layer(colour="#e9eef5"),
        Layer(picture=photo, talks=True, offset_x=1400, offset_y=600, scale_x=2, scale_y=2),
    )
    cases: dict[str, Callable[[], Rendered]] = {
        "talking photo, 512 x 600": lambda: studio.render_photo(photo, ten),
        "character and mask, 512 x 512": lambda: studio.render_character(traits, ten),
        "presenter, 720 x 720": lambda: studio.render_presenter("liza_a0008", ten, with_mask=False),
        "composition, 3840 x 2160": lambda: studio.render_composition(layers, short, width=3840, height=2160),
    }
    return {
        "python": platform.python_version(),
        **{name: version(name) for name in LIBRARIES},
        "runs": runs,
        "renders": {name: _measured(render, runs) for name, render in cases.items()},
    }


def _measured(render: Callable[[], Rendered], runs: int) -> dict[str, float]:
    walls = []
    for _ in range(runs):
        started = time.perf_counter()
        rendered = render()
        walls.append(time.perf_counter() - started)
    return {
        "video seconds": rendered.seconds,
        "median wall seconds": round(statistics.median(walls), 2),
        "fastest wall seconds": round(min(walls), 2),
        "kilobytes": len(rendered.mp4) // 1024,
    }


def as_text(report: dict[str, object]) -> str:
    renders = report["renders"]
    assert isinstance(renders, dict)
    lines = [", ".join(f"{name} {report[name]}" for name in ("python", *LIBRARIES))]
    for name, figures in renders.items():
        seconds, wall = figures["video seconds"], figures["median wall seconds"]
        lines.append(f"{name:32} {seconds:6.2f} s of video in {wall:5.2f} s ({seconds / wall:4.1f} times real time)")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
