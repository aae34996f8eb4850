"""The runs of a Word document that its reader sees: what is hidden, white or tiny, by itself or by its style, is left out."""

import re
from collections.abc import Iterator
from typing import Any

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_WHITE = re.compile(r"F[A-F0-9]F[A-F0-9]F[A-F0-9]", re.IGNORECASE)
"""Nearly white: no eye tells it from paper."""
_TINY = 3
"""Half points."""
_DEEPEST = 20
"""Styles that a style may be based on, one on the other."""
_MARKS = {"tab": "\t", "br": "\n", "cr": "\n"}


class Looks:
    """The styles of a document, by which a run may be hidden."""

    def __init__(self, styles: Any) -> None:
        """Read the element `w:styles`."""
        found = list(styles.iterchildren(f"{_W}style"))
        self._styles = {s.get(f"{_W}styleId"): s for s in found}
        paragraphs = (s for s in found if s.get(f"{_W}type") == "paragraph" and s.get(f"{_W}default") in ("1", "true"))
        self._plain = next((s.get(f"{_W}styleId") for s in paragraphs), None)

    def shown_text(self, paragraph: Any) -> str:
        """Return the text of a paragraph (`w:p`) as it is seen, with tracked insertions and without deletions."""
        parts: list[str] = []
        own = paragraph.find(f"{_W}pPr")
        by_paragraph = [*self._based(_value(own, "pStyle") or self._plain)]
        for run in paragraph.xpath(".//w:r[not(ancestor::w:moveFrom)][not(ancestor::*[local-name()='Fallback'])]"):
            if self._hides(run, own, by_paragraph):
                continue
            for node in run:
                name = node.tag.rpartition("}")[2] if isinstance(node.tag, str) else ""
                parts.append((node.text or "") if name == "t" else _MARKS.get(name, ""))
        return "".join(parts).strip()

    def _hides(self, run: Any, paragraph: Any, by_paragraph: list[Any]) -> bool:
        own = run.find(f"{_W}rPr")
        # What stands first counts: the run itself, its style, the paragraph's style, and what each is based on.
        styles = [*self._based(_value(own, "rStyle")), *by_paragraph]
        looks = [own, *(s.find(f"{_W}rPr") for s in styles)]
        if any(_is_on(_first(looks, name)) for name in ("vanish", "specVanish")):
            return True
        size = _first(looks, "sz")
        if size is not None and re.fullmatch(r"0*[0-3](\.\d+)?", size.get(f"{_W}val") or ""):
            return True
        colour = _first(looks, "color")
        if colour is None or not _WHITE.fullmatch(colour.get(f"{_W}val") or ""):
            return False
        return not self._is_shaded(run, [*looks, paragraph, *(s.find(f"{_W}pPr") for s in styles)])

    def _is_shaded(self, run: Any, looks: list[Any]) -> bool:
        """Tell whether something may be beneath a run that white stands out from."""
        if any(look is not None and (_fills(look) or look.find(f"{_W}highlight") is not None) for look in looks):
            return True
        for outer in run.iterancestors(f"{_W}tc", f"{_W}tbl", f"{_W}txbxContent"):
            properties = outer.find(f"{outer.tag}Pr")
            if outer.tag == f"{_W}txbxContent" or (properties is not None and _fills(properties)):
                return True
            for style in self._based(_value(properties, "tblStyle")) if outer.tag == f"{_W}tbl" else ():
                if any(_is_dark(s) for s in style.iter(f"{_W}shd")):
                    return True
        return False

    def _based(self, identity: str | None) -> Iterator[Any]:
        for _ in range(_DEEPEST):
            style = self._styles.get(identity)
            if style is None:
                return
            yield style
            identity = _value(style, "basedOn")


def _value(element: Any, name: str) -> str | None:
    found = None if element is None else element.find(f"{_W}{name}")
    return None if found is None else found.get(f"{_W}val")


def _first(looks: list[Any], name: str) -> Any:
    return next((f for look in looks if look is not None and (f := look.find(f"{_W}{name}")) is not None), None)


def _is_on(toggle: Any) -> bool:
    return toggle is not None and toggle.get(f"{_W}val") not in ("0", "false", "off")


def _fills(properties: Any) -> bool:
    return any(_is_dark(shade) for shade in properties.iterchildren(f"{_W}shd"))


def _is_dark(shade: Any) -> bool:
    fill = shade.get(f"{_W}fill") or "auto"
    return bool(shade.get(f"{_W}themeFill")) or not (fill == "auto" or _WHITE.fullmatch(fill))
