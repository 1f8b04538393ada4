"""Run every benchmark and write benchmarks/RESULTS.md."""

from __future__ import annotations

from pathlib import Path

from benchmarks import catalogue, deciding, deriving, importing
from benchmarks.contest import describe_machine

RESULTS = Path(__file__).with_name("RESULTS.md")


def main() -> None:
    """Print the tables and write them down."""
    text = "\n".join(
        (
            "# Results\n",
            f"Written by `python -m benchmarks`. {describe_machine()}\n",
            deriving.report(),
            catalogue.report(),
            deciding.report(),
            importing.report(),
        )
    )
    RESULTS.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
