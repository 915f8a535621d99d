"""Which dialect a CARP file is written in, and reading it."""

from __future__ import annotations

import re
from pathlib import Path

from clearway.exchange.adapter import decode, load
from clearway.exchange.carp.compact import read_compact
from clearway.exchange.carp.model import CarpInstance
from clearway.exchange.carp.spanish import looks_spanish, read_spanish
from clearway.exchange.findings import Finding
from clearway.kernel.errors import InputError
from clearway.kernel.language import Text


def read(source: bytes | str | Path, *, name: str = "") -> CarpInstance:
    """Read a CARP file in either dialect.

    Args:
        source: the file, its bytes or its text.
        name: of the instance where the file has none; the file's stem when left out.

    Raises:
        InputError: not a CARP file, or a line that cannot be read; names the line and the field.
    """
    data, where = load(source)
    title = name or (source.stem if isinstance(source, Path) else "instance")
    text, remarks = _tidy(decode(data)[0])
    if looks_spanish(text):
        instance = read_spanish(text, where, title)
    elif re.match(r"(\s*#[^\n]*\n|\s)*\d[-+.\deE \t]*(#[^\n]*)?$", text, re.MULTILINE):
        instance = read_compact(text, where, title)
    else:
        raise InputError(
            "neither dialect of CARP files",
            where=where,
            hint="Either numbers only (vertices, edges, one edge a line, vehicles, capacity), "
            "or lines such as NOMBRE :, CAPACIDAD :, LISTA_ARISTAS_REQ :, DEPOSITO :.",
        )
    return _checked(instance.with_findings(*remarks), where)


def _tidy(text: str) -> tuple[str, list[Finding]]:
    """The text with line ends and colons as the dialects have them, and a remark for each change."""
    remarks = []
    if "\r" in text and "\n" not in text:
        text = text.replace("\r", "\n")
        words = Text("lines end with CR alone; read as line ends", "行尾仅为回车符（CR），按换行读取")
        remarks.append(Finding("line_ends", "file", words, grave=False))
    if "：" in text:
        text = text.replace("：", ":")
        words = Text("full-width colons are read as colons", "全角冒号按冒号读取")
        remarks.append(Finding("wide_colons", "file", words, grave=False))
    return text, remarks


def _checked(instance: CarpInstance, where: str) -> CarpInstance:
    if not any(instance.depot in (road.tail, road.head) for road in instance.roads):
        raise InputError(f"the depot {instance.depot} lies on no road", where=where)
    if instance.capacity > 0:
        return instance
    text = Text("the capacity is {c:g}: no truck can carry anything", "容量为{c:g}：任何车辆都无法载货")
    return instance.with_findings(Finding("capacity", "capacity", text.format(c=instance.capacity)))
