"""What a request to the Gradio front end may hold, looked at before Gradio acts on it.

Gradio checks a file only where the request marks it as one (`meta`), fetches what is marked and has a web
address, and hands a function whatever else was sent. Here a request holds plain values of the kind its box
shows, and a picture is one that was uploaded to this server, or its bytes.
"""

import base64
import binascii
import os
import stat
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.utils import get_upload_folder

from explorer.inference.images import BYTE_CAP

_DATA_URL = "data:"
_TEXT_CAP = 4096  # characters: a name, not a book
_GONE = "The picture is not on this server; upload it once more."


def guard(page: gr.Blocks) -> None:
    """Lets `page` act on well-formed requests only; all others are answered with a sentence.

    Changed on the object: it is the one place that every request passes, whatever route it takes.
    """
    act = page.preprocess_data

    async def checked(block_fn: Any, inputs: list[Any], state: Any, explicit_call: bool = False) -> list[Any]:
        boxes = block_fn.inputs
        if len(inputs) != len(boxes):
            raise _refusal(f"This takes {len(boxes)} values and was given {len(inputs)}.")
        plain = [_checked(box, value) for box, value in zip(boxes, inputs, strict=True)]
        try:
            return await act(block_fn, plain, state, explicit_call)
        except gr.Error:
            raise
        except Exception as error:  # whatever Gradio's own components make of a value that is none of theirs
            raise _refusal(
                "The request cannot be understood; use the page, or the API as it describes it."
            ) from error

    page.preprocess_data = checked  # type: ignore[method-assign]


def _refusal(sentence: str) -> gr.Error:
    """Said on the page and to clients; what a client got wrong is no matter for the server's log."""
    return gr.Error(sentence, duration=None, print_exception=False)


def _checked(box: Any, value: Any) -> Any:
    """`value` as Gradio may have it; raises gr.Error with what `box` takes."""
    name = getattr(box, "label", None) or type(box).__name__
    if isinstance(box, gr.Image):
        return _picture(value)
    if isinstance(box, gr.Slider):
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float)
            or not (box.minimum <= value <= box.maximum)
        ):  # NaN is in no range
            raise _refusal(f"{name} takes a number from {box.minimum:g} to {box.maximum:g}.")
        return value
    if isinstance(box, gr.Dropdown | gr.Radio | gr.Textbox):
        if not isinstance(value, str) or not value.strip():
            raise _refusal(f"{name} takes a text; choose one of those offered.")
        if len(value) > _TEXT_CAP:
            raise _refusal(f"{name} takes a text of at most {_TEXT_CAP:,} characters.")
        return value
    if value is not None and not isinstance(value, str | int | float):
        raise _refusal(f"{name} takes one plain value.")
    return value


def _picture(value: Any) -> dict[str, Any] | None:
    """A picture as Gradio sends it, reduced to the one thing that says where its bytes are."""
    if value is None:
        return None
    if isinstance(value, dict):
        url, path = value.get("url"), value.get("path")
        if isinstance(url, str) and url.startswith(_DATA_URL):
            return {"path": None, "url": url}
        if isinstance(path, str):
            if path.startswith(_DATA_URL):
                return {"path": None, "url": path}
            return {"path": str(_uploaded(path)), "meta": {"_type": "gradio.FileData"}}
    raise _refusal("A picture is a file uploaded to this server, or its bytes as a data: address.")


def _uploaded(path: str) -> Path:
    """The real place of a file that was uploaded to this server; raises gr.Error for any other.

    Nothing is opened: a link, a device or a pipe is told by its status alone.
    """
    try:
        folder, real = (Path(os.path.realpath(each)) for each in (get_upload_folder(), path))
        status = real.lstat()
    except (OSError, ValueError) as error:  # no such file, or a NUL in its name
        raise _refusal(_GONE) from error
    if folder not in real.parents or not stat.S_ISREG(status.st_mode):
        raise _refusal(_GONE)
    if status.st_size > BYTE_CAP:
        raise _refusal(f"The file is larger than {BYTE_CAP / 1e6:.0f} MB; save it smaller.")
    return real


def content(payload: Any) -> bytes:
    """The bytes of a picture that `guard` let through. payload: with `path` or a data: address as `url`."""
    if payload.url and payload.url.startswith(_DATA_URL):
        if len(payload.url) > 4 * BYTE_CAP // 3 + 1000:
            raise _refusal(f"The picture is larger than {BYTE_CAP / 1e6:.0f} MB; save it smaller.")
        try:
            return base64.b64decode(payload.url.partition(",")[2], validate=True)
        except (binascii.Error, ValueError) as error:
            raise _refusal("The picture did not arrive whole; send it once more.") from error
    try:
        return _uploaded(payload.path or "").read_bytes()
    except OSError as error:  # uploads are cleared away after a while
        raise _refusal(_GONE) from error
