"""The colours in a light and a dark version, as classes for a picture and as variables for its page.

The hues are those of Okabe and Ito, which colour-blind people can distinguish, made darker or lighter so that
each stands out from its background. Nothing is shown by colour alone: a summed label also has a Σ.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cache, lru_cache
from hashlib import sha256

SIZES = {"head": 14, "word": 13, "small": 11}
"""Heights of the three kinds of text, in pixels."""

FONTS = "ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace"

ADVANCE = 0.61
"""Width of a character divided by the height of the text; no common monospaced font is wider."""

DASHES = ("", "7 3", "2 3")
"""Dash patterns of lines: each hue can be used with each of these."""


@dataclass(frozen=True)
class Palette:
    """Colours, named by their use."""

    ground: str
    box: str
    edge: str
    """Borders of boxes and of the background."""
    ink: str
    dim: str
    """Secondary text."""
    line: str
    """Rails of labels that are kept, lanes of the tree, bars."""
    track: str
    """Background of a bar."""
    loud: str
    """The step with the most FLOPs."""
    lit: str
    """Background of the cells that are multiplied."""
    lit_ink: str
    """Text on these cells."""
    hues: tuple[str, ...]
    """Rails of labels that are summed."""


LIGHT = Palette(
    ground="#ffffff",
    box="#f3f5f8",
    edge="#808a96",
    ink="#1a1e24",
    dim="#515a66",
    line="#6b7480",
    track="#dfe3e8",
    loud="#b3201b",
    lit="#ffe26b",
    lit_ink="#1a1e24",
    hues=("#0068a8", "#a85200", "#00735a", "#a03c78", "#756200"),
)
DARK = Palette(
    ground="#15181d",
    box="#23282f",
    edge="#747e8b",
    ink="#eceef1",
    dim="#b1b9c3",
    line="#939da9",
    track="#343b45",
    loud="#ff9183",
    lit="#f4e07a",
    lit_ink="#15181d",
    hues=("#5fbaf0", "#f5a742", "#40d0a2", "#eb9ac9", "#dccb4e"),
)

DARK_PAGES = ('[data-jp-theme-light="false"]', '[data-theme="dark"]', ".vscode-dark", ".vscode-high-contrast")
"""Selectors of ancestors that mark a dark page, in JupyterLab, Sphinx themes and VS Code."""

LIGHT_PAGES = ('[data-jp-theme-light="true"]', '[data-theme="light"]', ".vscode-light")
"""Selectors of ancestors that mark a light page; both kinds override the system's preference."""


def rail(index: int) -> tuple[str, str]:
    """Return the class and the dashes of the rail of a summed label."""
    hues = len(LIGHT.hues)
    return f"hue{index % hues}", DASHES[index // hues % len(DASHES)]


def colour(index: int | None) -> str:
    """Return the variable with the colour of the rail of a summed label, or of a kept one if None."""
    return "line" if index is None else rail(index)[0]


@cache
def variables() -> str:
    """Return rules that give a page the colours of its picture, as variables such as ``--ink``."""
    return "\n".join(_themed(_variables))


def _variables(within: str, palette: Palette) -> list[str]:
    named = asdict(palette)
    named |= {f"hue{n}": hue for n, hue in enumerate(named.pop("hues"))}
    named["lit_faint"] = f"{palette.lit}40"  # with an opacity of a quarter
    colours = ";".join(f"--{name.replace('_', '-')}:{value}" for name, value in named.items())
    return [f"{within.strip() or ':root'}{{{colours}}}"]


@lru_cache(maxsize=64)
def sheet(narrowest: int) -> tuple[str, str]:
    """Return a class name for a picture with a minimum width in pixels, and its rules.

    The name is a hash of the rules, so that pictures in one document do not change each other's style.
    """
    name = f"einsum-{sha256(_rules('', narrowest).encode()).hexdigest()[:8]}"
    return name, _rules(f".{name}", narrowest)


def _rules(scope: str, narrowest: int) -> str:
    return "\n".join(
        [
            "",
            f"{scope}{{max-width:100%;min-width:{narrowest}px;height:auto}}",
            *(f"{scope} .eu-{kind}{{font-size:{size}px}}" for kind, size in SIZES.items()),
            f"{scope} text{{font-family:{FONTS};font-variant-ligatures:none;"
            "letter-spacing:0;white-space:pre;direction:ltr;"
            "unicode-bidi:bidi-override}",
            f"{scope} .eu-head{{font-weight:bold}}",
            f"{scope} .eu-line{{fill:none;stroke-width:1.5}}",
            f"{scope} .eu-sum{{stroke-width:2.5}}",
            f"{scope} .eu-gap{{fill:none;stroke-width:6}}",
            *_themed(lambda within, palette: _colours(f"{within}{scope}", palette)),
            "",
        ]
    )


def _themed(rules: Callable[[str, Palette], list[str]]) -> list[str]:
    """Return rules for light and dark; an ancestor's class, passed as a selector, overrides the system."""
    return [
        *rules("", LIGHT),
        "@media (prefers-color-scheme:dark){",
        *rules("", DARK),
        "}",
        *rules(f":is({','.join(LIGHT_PAGES)}) ", LIGHT),
        *rules(f":is({','.join(DARK_PAGES)}) ", DARK),
    ]


def _colours(scope: str, palette: Palette) -> list[str]:
    """Return the rules for colours; if several apply to a shape, the last one holds."""
    rules = {
        ".eu-ground": f"fill:{palette.ground};stroke:{palette.edge}",
        ".eu-box": f"fill:{palette.box};stroke:{palette.edge}",
        ".eu-gap": f"stroke:{palette.ground}",
        ".eu-line": f"stroke:{palette.line}",
        ".eu-dot": f"fill:{palette.line};stroke:{palette.line}",
        ".eu-ink": f"fill:{palette.ink}",
        ".eu-dim": f"fill:{palette.dim}",
        ".eu-track": f"fill:{palette.track}",
        ".eu-bar": f"fill:{palette.line}",
    }
    for n, hue in enumerate(palette.hues):
        rules |= {f".eu-line.eu-hue{n}": f"stroke:{hue}", f".eu-dot.eu-hue{n}": f"fill:{hue};stroke:{hue}"}
    rules |= {
        ".eu-hollow.eu-dot": f"fill:{palette.ground}",
        ".eu-sign": f"fill:{palette.ground}",
        ".eu-loud": f"fill:{palette.loud}",
        ".eu-dot.eu-loud": f"fill:{palette.loud};stroke:{palette.loud}",
    }
    return [f"{scope} {selector}{{{rule}}}" for selector, rule in rules.items()]
