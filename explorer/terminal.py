"""The edge that every command line here shares: failures in one line, Ctrl-C, closed pipes, streams that
cannot say every character.
"""

import codecs
import errno
import io
import os
import signal
import sys
import threading
import unicodedata
import warnings
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
    interrupted = False

    def interrupt(*_: object) -> None:
        nonlocal interrupted
        interrupted = True
        raise KeyboardInterrupt

    # Somebody who ignores the signal, as a shell does for what runs in the background, goes on ignoring it.
    heard = threading.current_thread() is threading.main_thread()
    heard = heard and signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if heard:
        signal.signal(signal.SIGINT, interrupt)
    try:
        try:
            with warnings.catch_warnings():
                if not sys.warnoptions:  # what libraries mention to programmers is nothing to say here
                    warnings.simplefilter("ignore")
                return command() or 0
        finally:
            if sys.stdout is not None:
                sys.stdout.flush()
    except BrokenPipeError:
        _discard_output()
        return 0
    except (Exception, KeyboardInterrupt) as error:
        _discard_output()
        # An import that is broken off may turn the interruption into an error of its own.
        if interrupted or isinstance(error, KeyboardInterrupt):
            print(f"{program}: interrupted", file=sys.stderr)
            return INTERRUPTED
        if not isinstance(error, ValueError | ArithmeticError | OSError | RuntimeError | MemoryError):
            raise
        said = " ".join(str(error).split()) or type(error).__name__
        if isinstance(error, OSError) and error.errno == errno.ENOSPC and error.filename is None:
            said = f"the output cannot be written: {error.strerror}"  # files are written under their names
        print(f"{program}: {said}", file=sys.stderr)
        return MISUSE
    finally:
        if heard:
            signal.signal(signal.SIGINT, signal.default_int_handler)


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
