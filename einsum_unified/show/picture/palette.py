"""The colours, for light and for dark, by class for a picture and as variables for the page around it.

The hues are those of Okabe and Ito, which people tell apart who see fewer colours, darker or lighter so that
each stands out from its background. No meaning is in a colour alone: a summed label also carries a Σ.
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
"""Width of a character over the height of its text: no common font of equal widths is wider."""

DASHES = ("", "7 3", "2 3")
"""Of lines, so that as many times the hues can be told apart."""


@dataclass(frozen=True)
class Palette:
    """Colours by what they are for."""

    ground: str
    box: str
    edge: str
    """Of boxes and of the ground."""
    ink: str
    dim: str
    """Text beside the main one."""
    line: str
    """Rails of labels that are kept, lanes of the tree, bars."""
    track: str
    """Behind a bar."""
    loud: str
    """The step of most FLOPs."""
    lit: str
    """Behind cells that are multiplied."""
    lit_ink: str
    """Text on that."""
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
"""Ancestors that say that a page is dark: JupyterLab's, Sphinx themes' and VS Code's."""

LIGHT_PAGES = ('[data-jp-theme-light="true"]', '[data-theme="light"]', ".vscode-light")
"""Those that say it is light, whatever the system prefers."""


def rail(index: int) -> tuple[str, str]:
    """Return the class and the dashes of the rail of a summed label."""
    hues = len(LIGHT.hues)
    return f"hue{index % hues}", DASHES[index // hues % len(DASHES)]


def colour(index: int | None) -> str:
    """Return the variable with the colour of a summed label's rail, or of one that is kept."""
    return "line" if index is None else rail(index)[0]


@cache
def variables() -> str:
    """Return rules that give a page the colours of its picture, as variables such as ``--ink``."""
    return "\n".join(_themed(_variables))


def _variables(within: str, palette: Palette) -> list[str]:
    named = asdict(palette)
    named |= {f"hue{n}": hue for n, hue in enumerate(named.pop("hues"))}
    named["lit_faint"] = f"{palette.lit}40"  # a quarter of it
    colours = ";".join(f"--{name.replace('_', '-')}:{value}" for name, value in named.items())
    return [f"{within.strip() or ':root'}{{{colours}}}"]


@lru_cache(maxsize=64)
def sheet(narrowest: int) -> tuple[str, str]:
    """Return a class for a picture that may not get narrower than some pixels, and the rules below it.

    The class is made of the rules, so that other pictures in a document keep theirs.
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
    """Return rules for light and dark, as the system prefers or an ancestor says, whose selector they get."""
    return [
        *rules("", LIGHT),
        "@media (prefers-color-scheme:dark){",
        *rules("", DARK),
        "}",
        *rules(f":is({','.join(LIGHT_PAGES)}) ", LIGHT),
        *rules(f":is({','.join(DARK_PAGES)}) ", DARK),
    ]


def _colours(scope: str, palette: Palette) -> list[str]:
    """Return the rules that colour; of those that apply to one shape, the later hold."""
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
