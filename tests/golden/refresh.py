"""Write the golden tables anew: ``python tests/golden/refresh.py``, then read the diff."""

from __future__ import annotations

import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent / "tables"


def main() -> None:
    """Replace every table."""
    sys.path.insert(0, str(FOLDER.parent))
    from runs import RUNS, table  # type: ignore[import-not-found, unused-ignore]

    for name in RUNS:
        (FOLDER / f"{name}.txt").write_text(table(name), encoding="utf-8")
        print(f"wrote {name}.txt")


if __name__ == "__main__":
    main()
