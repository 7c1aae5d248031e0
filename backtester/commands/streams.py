"""Standard streams that a full disk or a reader who leaves does not turn into a defect."""

from __future__ import annotations

import io
import os
import sys

CLOSED = 141  # 128 + SIGPIPE, as a shell reports a program whose reader left
UNWRITTEN = 4


class Output(io.TextIOWrapper):
    """A stream whose first failure to write is kept in `fault`; what follows goes nowhere.

    The work goes on: results are saved whatever becomes of the table. `last` is the last line.
    """

    fault: OSError | None = None
    last = ""

    def write(self, text: str) -> int:
        """Write `text`, or note why that cannot be done."""
        if lines := text.strip().splitlines():
            self.last = lines[-1].strip()
        try:
            return super().write(text)
        except OSError as error:
            self._fail(error)
            return len(text)

    def flush(self) -> None:
        """Flush, or note why that cannot be done."""
        try:
            super().flush()
        except OSError as error:
            self._fail(error)

    def _fail(self, error: OSError) -> None:
        if self.fault is None:
            self.fault = error
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self.fileno())  # what is still buffered must go somewhere at exit
            os.close(nowhere)


def prepare() -> None:
    """Make stdout and stderr streams that can neither be missing nor stop the work."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # started with the stream closed
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
        elif isinstance(stream, io.TextIOWrapper):
            encoding, at_once = stream.encoding, stream.line_buffering
            # a terminal that cannot show "×" must not crash us
            made = Output(
                stream.detach(), encoding=encoding, errors="replace", line_buffering=at_once
            )
            setattr(sys, name, made)
            setattr(sys, f"__{name}__", made)


def ended(code: int) -> int:
    """The exit code, once stdout is flushed; one line or three on stderr where it failed."""
    out = sys.stdout
    out.flush()
    fault = out.fault if isinstance(out, Output) else None
    if fault is None:
        return code
    if isinstance(fault, BrokenPipeError):
        return code or CLOSED
    print(f"error: the output cannot be written ({fault.strerror or fault})", file=sys.stderr)
    if isinstance(out, Output) and out.last:
        print(f"  its last line: {out.last}", file=sys.stderr)
    print("  cure: send the output elsewhere; results are saved all the same", file=sys.stderr)
    return code or UNWRITTEN
