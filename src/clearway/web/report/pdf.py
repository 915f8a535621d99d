"""The report as PDF, set by Typst (a library in the Python index; nothing else need be installed).

Chinese needs a font of the machine. It is looked for among the system's fonts and in the folder named by
``CLEARWAY_FONTS``; where there is none a Chinese report is refused with the name of what to install, since a
page of empty boxes is worse than none.
"""

from __future__ import annotations

import json
import os
import re
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from clearway.kernel.errors import SystemFailureError
from clearway.kernel.language import Text

if TYPE_CHECKING:
    from clearway.web.report.compose import Report

FONTS: Final = "CLEARWAY_FONTS"
CHINESE: Final = (
    "Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", "Source Han Sans CN", "PingFang SC",
    "Microsoft YaHei", "WenQuanYi Micro Hei", "WenQuanYi Zen Hei", "Noto Serif CJK SC", "Source Han Serif SC",
    "SimSun", "SimHei", "FangSong",
)  # fmt: skip
"""Families with Simplified Chinese, the best to read first."""
LATIN: Final = ("Noto Sans", "DejaVu Sans", "Liberation Sans", "Arial", "Libertinus Serif")
NO_FONT: Final = Text(
    "no Chinese font was found on this machine, so a Chinese PDF would be empty boxes",
    "本机没有中文字体，无法生成中文PDF",
)
HOW: Final = (
    "Install one (Debian, Ubuntu: apt install fonts-noto-cjk; Fedora: google-noto-sans-cjk-fonts), "
    f"or put a .ttf, .otf or .ttc file into a folder and name it in {FONTS}. HTML works without."
)
_PRINT: Final = {
    "ink": "#000000",
    "soft": "#444444",
    "line": "#bbbbbb",
    "paper": "#ffffff",
    "air": "#1668b8",
    "road": "#b0440c",
    "rain": "#2b8c9e",
}
"""Colours of drawings on paper: what the style sheet of a drawing says for print."""
_STYLE: Final = re.compile(r"<style>.*?</style>", re.DOTALL)
_VARIABLE: Final = re.compile(r"var\(--(\w+)\)")


def folders() -> list[str]:
    """Folders in which fonts are looked for besides those of the system."""
    named = os.environ.get(FONTS, "")
    return [part for part in named.split(os.pathsep) if part and Path(part).is_dir()]


@lru_cache(maxsize=4)
def families(extra: tuple[str, ...]) -> tuple[str, ...]:
    """Font families at hand: a Chinese one first, where there is any, then Latin ones."""
    import typst

    known = set(typst.Fonts(include_system_fonts=True, font_paths=list(extra)).families())
    return tuple(f for f in (*CHINESE, *LATIN) if f in known)


def report_pdf(report: Report, language: str) -> bytes:
    """The report in one language.

    Raises:
        SystemFailureError: no Chinese font for a Chinese report, or the typesetter failed.
    """
    import typst

    extra = tuple(folders())
    fonts = families(extra)
    if language == "zh" and not any(f in CHINESE for f in fonts):
        raise SystemFailureError(NO_FONT.en, hint=HOW, words=NO_FONT)
    data = report.as_plain(language)
    data |= {"fonts": list(fonts), "drawing": printable(data["drawing"], fonts)}
    data["maps"] = [printable(picture, fonts) for picture in data["maps"]]
    source = files("clearway.web").joinpath("templates/report.typ").read_bytes()
    try:
        made = _set(source, list(extra), json.dumps(data))
    except typst.TypstError as error:
        words = Text("the report could not be set as PDF", "PDF排版失败")
        raise SystemFailureError(f"{words.en}: {error}", hint="HTML works without", words=words) from error
    return made


def _set(source: bytes, extra: list[str], data: str) -> bytes:
    import typst

    compiler: Any = typst.compile
    made = compiler(source, font_paths=extra, sys_inputs={"data": data})
    assert isinstance(made, bytes)
    return made


def printable(svg: str, fonts: tuple[str, ...]) -> str:
    """A drawing in colours for paper, without a style sheet: typesetters read those only in part."""
    if not svg:
        return ""
    plain = _VARIABLE.sub(lambda m: _PRINT.get(m[1], "#000000"), _STYLE.sub("", svg))
    plain = plain.replace('class="head"', 'font-weight="bold"').replace('class="soft"', 'fill="#444444"')
    plain = plain.replace('class="title"', 'font-size="16" font-weight="bold"')
    family = ", ".join(f"'{name}'" for name in fonts)
    return plain.replace('class="cw"', f'font-family="{family}" font-size="12" fill="#000000"', 1)
