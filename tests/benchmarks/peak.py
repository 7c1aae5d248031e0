"""Peak memory of streaming an ensemble: ``python peak.py PATHS BARS`` prints one JSON object."""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from workload import VARIANTS, chunk_of, timed


def peak_mb() -> float:
    """High-water mark of this process.

    The kernel's own mark of this address space where it is told; `getrusage` elsewhere, since on
    Linux that one also remembers the process this one was started from.
    """
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM:"):
                return float(line.split()[1]) / 1024
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def main(paths: int, bars: int) -> None:
    """One chunk after the other: drawn, run, reduced to a number, let go."""
    total, i = 0, 0
    while (panel := chunk_of(0.7, paths, bars, i)) is not None:
        total += timed([panel], VARIANTS[0]).trading
        i += 1
    print(json.dumps({"peak_mb": peak_mb(), "trading": total}))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
