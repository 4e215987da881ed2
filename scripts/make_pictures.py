#!/usr/bin/env python3
"""Write the pictures of plans in the README and the docs."""

from __future__ import annotations

from pathlib import Path

from einsum_unified import einsum_plan

IMAGES = Path(__file__).resolve().parents[1] / "docs" / "images"

# Attention without softmax: queries, keys, values. It is cheap because keys and values are multiplied first.
PICTURES = {
    "attention.svg": ("bhqd,bhkd,bhkv->bhqv", (2, 8, 128, 64), (2, 8, 1024, 64), (2, 8, 1024, 32)),
}


def main(folder: Path = IMAGES) -> None:
    """Write all pictures."""
    for name, call in PICTURES.items():
        einsum_plan(*call, dtype="float32").to_svg(folder / name)


if __name__ == "__main__":
    main()
