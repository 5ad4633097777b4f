"""The visitor's picture: where it comes from, decoded once, kept in the visit and nowhere else."""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass, field, replace
from functools import cache
from time import perf_counter
from typing import TYPE_CHECKING

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from explorer.ui.frame import state
from explorer.ui.kit import fields
from explorer.ui.kit.formatting import plain
from explorer.ui.picture import choices
from explorer.ui.picture.parts import component, data_url

if TYPE_CHECKING:
    from PIL import Image

    from explorer.inference.samples import Sample

_PICTURE, _REFUSED, _MENU = "_picture", "_picture_refused", "picture_menu"
_SOURCES = {
    "Samples": ":material/photo_library:",
    "Upload": ":material/upload:",
    "Camera": ":material/photo_camera:",
}
_SHOWN_PIXELS = 900  # longest side sent to the browser
_CAMERA = 400  # pixels wide, so that the shutter is in sight
_THUMBNAIL = (224, 168)

_samples, _paste = component("picture", "samples"), component("picture", "paste")


@dataclass(frozen=True)
class Picture:
    """A decoded picture. digest: of the bytes it came in; url: the picture as the browser shows it.

    remarks: sentences on what was done to it that its owner should know.
    """

    digest: str
    title: str
    image: Image.Image = field(repr=False)
    decode_seconds: float
    sample: Sample | None
    url: str = field(repr=False)
    remarks: tuple[str, ...] = ()


def current(otherwise: str = "") -> Picture | None:
    """The picture in hand: the visitor's own, or the sample that the link names; before there is one the
    sample called `otherwise`, or None.
    """
    from explorer.inference.samples import SAMPLES

    kept: Picture | None = st.session_state.get(_PICTURE)
    own = kept is not None and kept.sample is None
    named = SAMPLES.get(state.one_of(choices.SAMPLE, SAMPLES)) or SAMPLES.get("" if own else otherwise)
    if named and not (kept and kept.sample == named):
        _take_in(named.load(), named.title, named)
    elif kept and kept.sample and not named:  # the Back key, to before the sample was chosen
        del st.session_state[_PICTURE]
    return st.session_state.get(_PICTURE)


def in_hand(otherwise: str = "chelsea") -> Picture:
    """The picture in hand, for a page that offers none: without one that sample, which is then not kept."""
    kept: Picture | None = st.session_state.get(_PICTURE)
    return kept or _sample(otherwise)


@cache
def _sample(name: str) -> Picture:
    from explorer.inference.samples import SAMPLES

    return _decoded(SAMPLES[name].load(), SAMPLES[name].title, SAMPLES[name])


def refusal() -> str:
    """Why the last picture offered was not taken; "" if it was."""
    return st.session_state.get(_REFUSED, "")


def menu(slot, picture: Picture | None) -> None:
    """The button that opens all sources, with the picture's name on it."""
    with slot.popover(
        plain(picture.title) if picture else "Picture",
        icon=":material/image:",
        width="stretch",
        disabled=picture is None,  # before there is one, the page itself holds the sources
        key=_MENU,
        on_change="rerun",
    ):
        if picture:
            sources(picture)


def sources(picture: Picture | None) -> None:
    """Samples, upload, camera."""
    source = st.segmented_control(
        "Picture from",
        list(_SOURCES),
        format_func=lambda name: f"{_SOURCES[name]} {name}",
        default="Samples",
        required=True,
        key="picture_source",
        label_visibility="collapsed",
    )
    on_screen = picture is None or st.session_state.get(_MENU)
    if source == "Samples" and on_screen:
        _samples(key="sample_part", data=_sample_data(picture), on_sample_change=_sample_picked)
        st.caption("Free to use; the licence stands under each.")
    elif source == "Upload":
        from explorer.inference.images import READABLE, SUFFIXES

        st.file_uploader(
            "Picture file",
            type=list(SUFFIXES),
            key="upload",
            on_change=_uploaded,
            label_visibility="collapsed",
        )
        st.caption(f"{READABLE} of up to {_limit()}; export HEIC as JPEG first.")
    elif source == "Camera" and on_screen:  # or the browser would ask for the camera out of the blue
        st.camera_input("Camera", key="camera", on_change=_shot, label_visibility="collapsed", width=_CAMERA)
    if sentence := refusal():
        st.warning(plain(sentence), icon=":material/image_not_supported:")


def invite() -> None:
    """The page before there is a picture: what to do, and all ways to do it."""
    st.header("Choose a picture to begin", anchor=False)
    st.caption(
        "One click on a sample will do. Your own stays in this visit: it is kept in memory and not shared."
    )
    sources(None)


def credit(picture: Picture) -> str:
    """The line under the picture: whose it is, or that it is the visitor's alone."""
    if sample := picture.sample:
        return f"{sample.title} · {sample.credit} · {sample.licence} · {sample.source}"
    kept = "Your picture stays in this visit; a link carries every choice but not the picture."
    return " ".join((*picture.remarks, kept))


def paste(slot, picture: Picture | None) -> None:
    """The paste button; while it is on the page, Ctrl+V anywhere brings a picture.

    It also remembers, in the browser alone, the last picture of the visitor's own, and brings it once more
    to a server that was started anew under the open page and knows of none: there `picture` is missing, or a
    sample that nobody chose.
    """
    from explorer.inference.images import BYTE_CAP

    known = "none" if picture is None else "own"
    if picture and picture.sample:
        known = "sample" if picture.sample.name == fields.get(choices.SAMPLE) else "none"
    with slot:
        _paste(
            key="paste_part",
            data={
                "maxBytes": BYTE_CAP,
                "known": known,
                "picture": picture.digest if picture else "",  # another one is told, though it is "own" again
                "refused": bool(refusal()),
                "tooLarge": f"The pasted picture is larger than {_limit()}; save it smaller and upload it.",
                "nothing": "There is no picture in the clipboard; copy one first.",
                "blocked": "The browser does not let the page read the clipboard; press Ctrl+V instead.",
            },
            on_picture_change=_pasted,
            on_again_change=_brought_again,
            on_connected_change=lambda: None,  # the run itself tells the part what the server knows
            on_refused_change=lambda: st.session_state.update(
                {_REFUSED: st.session_state.paste_part.refused}
            ),
        )


def _limit() -> str:
    from explorer.inference.images import BYTE_CAP

    return f"{BYTE_CAP / 1e6:.0f} MB"


def _sample_data(picture: Picture | None) -> dict:
    chosen = picture.sample.name if picture and picture.sample else None
    return {"samples": _thumbnails(), "chosen": chosen}


@st.cache_data(show_spinner=False)
def _thumbnails() -> list[dict[str, str]]:
    from explorer.inference import images
    from explorer.inference.samples import OFFERED

    rows = []
    for sample in OFFERED:
        small = images.decode(sample.load())
        small.thumbnail(_THUMBNAIL)
        about = {"name": sample.name, "title": sample.title, "licence": f"{sample.licence} · {sample.credit}"}
        rows.append(about | {"thumbnail": data_url(small, lossless=False)})
    return rows


def _take_in(data: bytes, title: str, sample: Sample | None = None, remark: str = "") -> bool:
    """Decode and keep; where that fails keep the sentence for the page, and the picture before it."""
    from explorer.inference import images

    try:
        taken = _decoded(data, title, sample)
    except images.ImageError as error:
        st.session_state[_REFUSED] = f"{title}: {error}"
        return False
    remarks = (remark, *taken.remarks) if remark else taken.remarks
    st.session_state[_PICTURE] = replace(taken, remarks=remarks)
    st.session_state.pop(_REFUSED, None)
    return True


def _decoded(data: bytes, title: str, sample: Sample | None) -> Picture:
    from explorer.inference import images

    started = perf_counter()
    decoded = images.read(data)
    seconds = perf_counter() - started
    small = decoded.image.copy()
    small.thumbnail((_SHOWN_PIXELS, _SHOWN_PIXELS))
    digest = hashlib.sha256(data).hexdigest()
    url = data_url(small, lossless=False)
    return Picture(digest, title, decoded.image, seconds, sample, url, decoded.remarks)


def _bring(data: bytes, title: str, remark: str = "") -> None:
    """From a callback: a picture of the visitor's own. It cannot stand in a link, so the link names none."""
    if _take_in(data, title, remark=remark):
        choices.choose_sample("")
        _close_menu()


def _close_menu() -> None:
    if st.session_state.get(_MENU):
        st.session_state[_MENU] = False


def _sample_picked() -> None:
    choices.choose_sample(st.session_state.sample_part.sample)
    st.session_state.pop(_REFUSED, None)
    _close_menu()


def _uploaded() -> None:
    # None: the visitor took the file out of the box; the picture stays. Nor is it a file of this server
    # where the box shows what was given to the one before it.
    if isinstance(file := st.session_state.upload, UploadedFile):
        _bring(file.getvalue(), file.name)


def _shot() -> None:
    if photo := st.session_state.camera:
        _bring(photo.getvalue(), "Photo from the camera")


def _pasted() -> None:
    _sent(st.session_state.paste_part.picture, "Pasted picture")


def _brought_again() -> None:
    """The server knows of no picture where the browser does: it was started anew under an open page."""
    again = st.session_state.paste_part.again or {}
    remark = "The server was started anew; your picture was taken from this page once more."
    _sent(again.get("picture"), str(again.get("name") or "Your picture"), remark)


def _sent(encoded: str | None, title: str, remark: str = "") -> None:
    try:
        _bring(base64.b64decode(encoded or "", validate=True), title, remark)
    except (binascii.Error, ValueError):
        st.session_state[_REFUSED] = f"{title}: it did not arrive whole; try once more."
