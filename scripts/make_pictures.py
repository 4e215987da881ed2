#!/usr/bin/env python3
"""Write the pictures of plans that README and docs show."""

from __future__ import annotations

from pathlib import Path

from einsum_unified import einsum_plan

IMAGES = Path(__file__).resolve().parents[1] / "docs" / "images"

# Attention without its softmax: queries, keys, values. Keys meet values first, which is what makes it cheap.
PICTURES = {
    "attention.svg": ("bhqd,bhkd,bhkv->bhqv", (2, 8, 128, 64), (2, 8, 1024, 64), (2, 8, 1024, 32)),
}


def main(folder: Path = IMAGES) -> None:
    """Write all of them."""
    for name, call in PICTURES.items():
        einsum_plan(*call, dtype="float32").to_svg(folder / name)


if __name__ == "__main__":
    main()
