"""Colour maps keep the order of values visible, also without hue."""

import numpy as np
import pytest

from explorer.inference.overlay import COLORMAPS, colored, colored_signed


def luminance(colors: np.ndarray) -> np.ndarray:
    """Relative luminance of sRGB, WCAG 2.2."""
    channels = colors / 255
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return linear @ [0.2126, 0.7152, 0.0722]


@pytest.mark.parametrize("colormap", COLORMAPS)
def test_brighter_always_means_more(colormap):
    steps = np.diff(luminance(colored(np.linspace(0, 1, 64)[None], colormap)[0]))
    assert (steps > 0).all()


def test_values_outside_take_the_end_s_colour():
    low, zero, one, high = colored(np.array([[-3.0, 0.0, 1.0, 9.0]]), "Viridis")[0]
    assert (low == zero).all()
    assert (high == one).all()
    assert zero.tolist() == [0x44, 0x01, 0x54]
    assert one.tolist() == [0xFD, 0xE7, 0x25]


def test_signed_values_diverge_around_zero():
    negative, zero, positive = colored_signed(np.array([[-2.0, 0.0, 2.0]]))[0].astype(int)
    assert np.ptp(zero) <= 8  # neutral, within the two steps beside the middle of 256
    assert negative[2] > negative[0]
    assert positive[0] > positive[2]
    assert np.ptp(colored_signed(np.zeros((2, 2)))) <= 8
