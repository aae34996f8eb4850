"""What a web page hides from its reader, so that it is not read as its text.

Styles are those of the page itself: its <style> elements and style attributes, the later ones before the earlier, whatever
their selectors weigh. Text of the colour of what is beneath it is hidden; where that is not known, text counts as shown.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

Colour = tuple[float, float, float, float]
"""Red, green, blue and alpha, 0 to 255."""
_WHITE, _BLACK = (255.0, 255.0, 255.0, 255.0), (0.0, 0.0, 0.0, 255.0)
_ALIKE, _FAINT, _TINY, _AWAY = 20, 13, 3.0, -500.0
"""Of 255 parts of a colour: a difference, and an alpha, that no eye sees; pixels of a letter, and beyond the page's edge."""
_MOST_RULES, _LONGEST = 2000, 300
"""Selectors that are looked at, and the characters of one."""
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_OF_A_SCREEN = re.compile(r"@media\s+(only\s+)?(screen|all)\s*$|@layer|@supports")
_COMPOUND = re.compile(r"([a-z][\w-]*|\*)?((?:[.#][\w-]+)*)$")
_LENGTH = re.compile(r"(-?\d*\.?\d+)(px|pt|em|rem|ex|ch|%|vw|vh|in|cm|mm)?")
_UNITS = {
    "pt": 4 / 3,
    "rem": 16.0,
    "em": 16.0,
    "ex": 8.0,
    "ch": 8.0,
    "vw": 12.0,
    "vh": 8.0,
    "in": 96.0,
    "cm": 38.0,
    "mm": 3.8,
}
_TELLS = re.compile(
    r"display|visibility|font|opacity|color|background|text-indent|left|right|top|bottom|clip|transform|width|height",
    re.I,
)


@dataclass(frozen=True, slots=True)
class _Look:
    """How the text of an element looks: what it inherits, or what stands beneath it. None is unknown."""

    size: float = 16.0
    colour: Colour | None = _BLACK
    under: Colour | None = _WHITE
    unseen: bool = False

    @property
    def hides(self) -> bool:
        if self.unseen or self.size < _TINY or (self.colour and self.colour[3] < _FAINT):
            return True
        pairs = zip(self.colour[:3], self.under[:3], strict=True) if self.colour and self.under else ((0, 255),)
        return all(abs(a - b) < _ALIKE for a, b in pairs)


def drop_hidden(tree: Any) -> None:
    """Take the text that its styles hide out of a page's tree, as lxml parses it."""
    styles: dict[Any, dict[str, str]] = {}
    page = _Page(tree)
    for steps, declared in _rules("\n".join(s.text or "" for s in tree.iter("style"))):
        for element in page.chosen(steps):
            styles.setdefault(element, {}).update(declared)
    pending = [(tree, _Look())]
    while pending:
        element, outer = pending.pop()
        style = styles.get(element, {}) | _declared(element.get("style") or "")
        if _is_gone(style) and element.tag not in ("html", "body") and element.getparent() is not None:
            element.drop_tree()
            continue
        look = _looks(element, style, outer)
        for child in element:
            if isinstance(child.tag, str):
                pending.append((child, look))
            if look.hides and child.tail and child.tail.strip():
                child.tail = " "
        if look.hides and element.text and element.tag not in ("style", "script", "title", "head"):
            element.text = " "


def _looks(element: Any, style: Mapping[str, str], outer: _Look) -> _Look:
    look = outer
    size = style.get("font-size") or (_size_of_font(style["font"]) if "font" in style else None)
    if size:
        pixels = _pixels(size, outer.size)
        look = replace(look, size=outer.size if pixels is None else pixels)
    colour = style.get("color") or element.get("color") or (element.get("text") if element.tag == "body" else None)
    if colour and colour not in ("inherit", "unset", "currentcolor"):
        look = replace(look, colour=read_colour(colour))
    under = style.get("background-color") or style.get("background") or element.get("bgcolor")
    if style.get("background-image", "none") != "none" or element.get("background"):
        look = replace(look, under=None)
    elif under and under not in ("none", "transparent", "inherit", "initial", "unset"):
        painted = read_colour(under)
        # What shines through is hardly there.
        look = look if painted and painted[3] < _FAINT else replace(look, under=painted)
        if element.tag in ("html", "body") and not colour:
            look = replace(look, colour=None)  # a style sheet elsewhere surely makes the text stand out
    # A page that is hidden as a whole is shown by its script as soon as it is there.
    seen = None if element.tag in ("html", "body") else style.get("visibility")
    return replace(look, unseen=seen in ("hidden", "collapse")) if seen and seen != "inherit" else look


def _is_gone(style: Mapping[str, str]) -> bool:
    """Tell whether an element is not shown with all that it holds."""
    if style.get("display") == "none" or style.get("content-visibility") == "hidden":
        return True
    opacity = _LENGTH.match(style.get("opacity", ""))
    if opacity and float(opacity.group(1)) < (5 if opacity.group(2) == "%" else 0.05):
        return True
    if style.get("position") in ("absolute", "fixed") or style.get("position") == "relative":
        if any(_is_away(style.get(side, "")) for side in ("left", "right", "top", "bottom")):
            return True
        if re.match(r"rect\(\s*([01](px)?[\s,]+){3}[01](px)?\s*\)", style.get("clip", "")):
            return True
    if any(_is_away(style.get(side, "")) for side in ("text-indent", "margin-left", "margin-top")):
        return True
    if re.match(r"inset\(\s*(50|100)%|circle\(\s*0", style.get("clip-path", "")):
        return True
    moved = re.search(r"scale[xy]?\(\s*0(?:\.0+)?\s*[),]|translate[xy]?\(\s*(-\d{4,})px", style.get("transform", ""))
    small = any(
        (_pixels(style.get(side, "9px"), 16) or 0) <= 1 for side in ("width", "height", "max-height", "max-width")
    )
    return bool(moved) or (small and style.get("overflow") in ("hidden", "clip"))


def _is_away(length: str) -> bool:
    """Tell a length that moves text off the page. Half a window is how a picture is made as wide as the page.

    >>> _is_away("-999px"), _is_away("-200%"), _is_away("-50vw")
    (True, True, False)
    """
    match = _LENGTH.match(length)
    if match and match.group(2) in ("%", "vw", "vh"):
        return float(match.group(1)) <= -101
    return (_pixels(length, 16) or 0) <= _AWAY


def _rules(css: str) -> Iterator[tuple["list[_Step]", dict[str, str]]]:
    """Yield the selector and the declarations of each rule that may hide something, except those of other media than a screen."""
    opened: list[str] = []
    count = 0
    pieces = re.split(r"([{}])", _COMMENT.sub(" ", css))
    for text, brace in zip(pieces[::2], pieces[1::2], strict=False):
        if brace == "{":
            opened.append(text.rpartition(";")[2].strip().lower())
            continue
        selectors = opened.pop() if opened else "@"
        if selectors.startswith("@") or not all(map(_OF_A_SCREEN.match, opened)) or not _TELLS.search(text):
            continue
        declared = _declared(text)
        for selector in selectors.split(","):
            count += 1
            steps = _read_selector(selector) if count <= _MOST_RULES else None
            if steps:
                yield steps, declared


def _read_selector(selector: str) -> "list[_Step] | None":
    """Read a selector of tags, classes and ids, last step first; None for any other.

    >>> [(s.tag, s.marks, s.is_child) for s in _read_selector("ul > li.note") or ()]
    [('li', ('.note',), True), ('ul', (), False)]
    """
    steps: list[_Step] = []
    is_child = False
    for part in re.sub(r" ?> ?", " > ", " ".join(selector.split())).split() if len(selector) <= _LONGEST else ():
        if part == ">":
            is_child = True
            continue
        match = _COMPOUND.match(part)
        if not match or not match.group():
            return None
        tag = match.group(1) if match.group(1) != "*" else None
        steps.append(_Step(tag, tuple(re.findall(r"[.#][\w-]+", match.group(2))), is_child))
        is_child = False
    return steps[::-1] or None


@dataclass(frozen=True, slots=True)
class _Step:
    """One step of a selector: a tag, or None for any, with classes (".name") and ids ("#name"); below the one before it."""

    tag: str | None
    marks: tuple[str, ...]
    is_child: bool


class _Page:
    """The elements of a page by tag, class and id."""

    def __init__(self, tree: Any) -> None:
        self._marks: dict[Any, frozenset[str]] = {}
        self._by: dict[str | None, list[Any]] = {}
        for element in tree.iter("*"):
            identity = element.get("id")
            classes = (f".{name}".lower() for name in (element.get("class") or "").split())
            marks = frozenset([*classes, *([f"#{identity}".lower()] if identity else ())])
            self._marks[element] = marks
            for key in (*marks, element.tag, None):
                self._by.setdefault(key, []).append(element)

    def chosen(self, steps: list[_Step]) -> Iterator[Any]:
        """Yield the elements that a selector means."""
        last = steps[0]
        for element in self._by.get(min(last.marks, key=self._rarity, default=last.tag), ()):
            if self._fits(element, last) and self._is_below(element, steps):
                yield element

    def _rarity(self, key: str) -> int:
        return len(self._by.get(key, ()))

    def _fits(self, element: Any, step: _Step) -> bool:
        return step.tag in (None, element.tag) and self._marks[element].issuperset(step.marks)

    def _is_below(self, element: Any, steps: list[_Step]) -> bool:
        # The nearest ancestor that fits is taken: without siblings in it, a selector needs no second try but for ">".
        for step, above in pairwise(steps):
            outer = element.getparent()
            while outer is not None and not self._fits(outer, above):
                outer = None if step.is_child else outer.getparent()
            if outer is None:
                return False
            element = outer
        return True


def _declared(style: str) -> dict[str, str]:
    """Read declarations, names and values in small letters.

    >>> _declared("COLOR: White !important; x")
    {'color': 'white'}
    """
    pairs = (part.partition(":") for part in style.split(";"))
    return {
        name.strip().lower(): re.sub(r"\s*!\s*important$", "", value.strip().lower())
        for name, mark, value in pairs
        if mark
    }


def _size_of_font(font: str) -> str | None:
    found = re.search(r"(?:^|\s)(\d*\.?\d+(?:px|pt|em|rem|%))", font)
    return found.group(1) if found else None


def _pixels(length: str, base: float) -> float | None:
    """Return a length in pixels, with `base` for what a percentage or an em is of; None where it is none."""
    match = _LENGTH.match(length)
    if not match:
        return None
    number, unit = float(match.group(1)), match.group(2)
    return number * (base / 100 if unit == "%" else base if unit == "em" else _UNITS.get(unit or "", 1.0))


def read_colour(text: str) -> Colour | None:
    """Read a CSS colour; None for what is none, such as an image or a variable.

    >>> read_colour("rgb(255 255 255 / .5)"), read_colour("#fff"), read_colour("url(x.png)")
    ((255.0, 255.0, 255.0, 127.5), (255.0, 255.0, 255.0, 255.0), None)
    """
    from PIL import ImageColor

    text = text.strip()
    if text == "transparent":
        return (0.0, 0.0, 0.0, 0.0)
    match = re.match(r"rgba?\(([^)]*)\)$", text)
    if match:
        parts = re.findall(r"(-?\d*\.?\d+)(%?)", match.group(1))
        if len(parts) not in (3, 4):
            return None
        red, green, blue = (float(n) * (2.55 if percent else 1) for n, percent in parts[:3])
        alpha = float(parts[3][0]) * (2.55 if parts[3][1] else 255) if len(parts) == 4 else 255.0
        return (red, green, blue, alpha)
    try:
        found = ImageColor.getrgb(text if not re.fullmatch(r"[0-9a-f]{6}|[0-9a-f]{3}", text) else f"#{text}")
    except ValueError:
        return None
    return (float(found[0]), float(found[1]), float(found[2]), float(found[3] if len(found) == 4 else 255))
