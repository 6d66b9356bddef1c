"""Fetch image sets into the data folder: `python -m ssl_dynamics.data.images cifar100`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from ssl_dynamics.data.images.archives import ARCHIVES, VARIABLE
from ssl_dynamics.data.images.download import DataError
from ssl_dynamics.data.images.sets import SPLITS, load_images


def main(arguments: Sequence[str] | None = None) -> int:
    """Download what is missing, read every split once, and say what is there; 1 on failure."""
    parser = argparse.ArgumentParser(
        prog="python -m ssl_dynamics.data.images", description="Fetch and check image sets."
    )
    parser.add_argument("name", nargs="+", choices=sorted(ARCHIVES))
    parser.add_argument("--root", help=f"the data folder (default: ${VARIABLE})")
    options = parser.parse_args(arguments)
    for name in options.name:
        for split in SPLITS[name]:
            try:
                found = load_images(name, split, options.root, download=True)
            except DataError as error:
                print(error, file=sys.stderr)
                return 1
            print(f"{name} {split}: {len(found)} images of {found.image_size} pixels a side")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
