"""``python -m einsum_unified``: the command line, for when ``einsum-unified`` is not on the path."""

from einsum_unified.commands.main import main, program

__all__ = ["main"]

if __name__ == "__main__":
    program()
