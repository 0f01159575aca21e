"""Colours as ``#rrggbb``, the form that survives JSON."""

import colorsys

__all__ = ["Colour", "bgr", "bgra", "darker", "hexadecimal", "lighter", "mixed", "shaded_skin"]

Colour = str


def bgra(colour: Colour) -> tuple[int, int, int, int]:
    """Channels of ``#rgb``, ``#rrggbb`` or ``#rrggbbaa`` in OpenCV's order."""
    digits = colour.removeprefix("#")
    if len(digits) in {3, 4}:
        digits = "".join(digit * 2 for digit in digits)
    if len(digits) not in {6, 8}:
        raise ValueError(f"{colour!r} is not a colour")
    red, green, blue, alpha = bytes.fromhex(f"{digits}ff"[:8])
    return blue, green, red, alpha


def bgr(colour: Colour) -> tuple[int, int, int]:
    """As `bgra`, without alpha."""
    return bgra(colour)[:3]


def hexadecimal(blue: float, green: float, red: float) -> Colour:
    """The colour of three channels, clipped to what there is."""
    channels = (min(255, max(0, round(channel))) for channel in (red, green, blue))
    return "#" + "".join(f"{channel:02x}" for channel in channels)


def mixed(first: Colour, second: Colour, share: float) -> Colour:
    """*share* of the second colour in the first."""
    pairs = zip(bgr(first), bgr(second), strict=True)
    return hexadecimal(*(one + (other - one) * share for one, other in pairs))


def darker(colour: Colour, amount: float = 0.2) -> Colour:
    """A shadow of the colour: deeper and a little more saturated, as shadows of lit things are."""
    blue, green, red = (channel / 255 for channel in bgr(colour))
    hue, lightness, saturation = colorsys.rgb_to_hls(red, green, blue)
    # Shadows on warm colours turn towards red.
    hue -= 0.02 * amount if 0.02 < hue < 0.2 else 0.0  # orange to yellow
    shadow = colorsys.hls_to_rgb(hue, lightness * (1 - amount), min(1.0, saturation * (1 + 0.25 * amount)))
    return hexadecimal(*(channel * 255 for channel in reversed(shadow)))


def lighter(colour: Colour, amount: float = 0.2) -> Colour:
    """The colour nearer to white."""
    return mixed(colour, "#ffffff", amount)


def shaded_skin(colour: Colour, amount: float = 0.2) -> Colour:
    """Skin in shadow, which is rosy: plain darkening turns pale skin orange."""
    return mixed(darker(colour, 0.45 * amount), "#7a3a3c", 0.75 * amount)
