"""The edge that every command line here shares: failures in one line, Ctrl-C, closed pipes, streams that
cannot say every character.
"""

import codecs
import io
import os
import sys
import unicodedata
from collections.abc import Callable

MISUSE = 2
INTERRUPTED = 130  # as shells count a process that SIGINT ended: 128 + 2

_ERRORS = "explorer.plain"
_PLAIN = {
    "×": "x", "–": "-", "—": "-", "−": "-", "·": "-", "→": "->", "≤": "<=", "≥": ">=", "≈": "~", "±": "+-",
    "…": "...", "‘": "'", "’": "'", "“": '"', "”": '"', "√": "sqrt",
}  # fmt: skip


def run(program: str, command: Callable[[], int | None]) -> int:
    """The exit code of `command`; a failure is one line on stderr and 2, Ctrl-C one line and 130.

    A reader that has seen enough (`| head`) is no failure. Nothing that is printed meanwhile can fail for the
    sake of a character that the stream has no code for.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # not where somebody put another object in its place
            stream.reconfigure(errors=_ERRORS)
    try:
        try:
            return command() or 0
        finally:
            if sys.stdout is not None:
                sys.stdout.flush()
    except BrokenPipeError:
        _discard_output()
        return 0
    except KeyboardInterrupt:
        print(f"{program}: interrupted", file=sys.stderr)
        return INTERRUPTED
    except (ValueError, OSError, RuntimeError, MemoryError) as error:
        _discard_output()
        said = " ".join(str(error).split()) or type(error).__name__
        print(f"{program}: {said}", file=sys.stderr)
        return MISUSE


def _discard_output() -> None:
    """What is still held back goes nowhere: the end of the process would try, and fail, to write it again."""
    try:
        sys.stdout.flush()
    except OSError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def _plainly(error: UnicodeError) -> tuple[str, int]:
    """For a character that the stream cannot encode: × becomes x, é becomes e, 图 becomes \\u56fe."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(map(_plain, error.object[error.start : error.end])), error.end


def _plain(character: str) -> str:
    if known := _PLAIN.get(character):
        return known
    letters = unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode()
    return letters or character.encode("ascii", "backslashreplace").decode()


codecs.register_error(_ERRORS, _plainly)
