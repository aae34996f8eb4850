"""The text of a PDF page that its reader sees: what is drawn invisibly, in the paper's colour, tiny or off the page is left out.

A small interpreter of the graphics state (PDF 32000-1, 8.4 and 9.3) runs beside pypdf's extraction and blanks the
strings that are not shown. Where it cannot know (patterns, odd colour spaces), it takes text for shown.
"""

import contextlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

Matrix = tuple[float, float, float, float, float, float]
Colour = tuple[float, float, float] | None
"""Red, green and blue, 0 to 1; None is unknown."""
_IDENTITY: Matrix = (1, 0, 0, 1, 0, 0)
_BLACK, _WHITE = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
_ALIKE = 0.08
"""The largest difference of each of two colours' parts that no eye tells apart on paper."""
_TINY = 1.5
"""Points; of a page that is drawn small, a five-hundredth of its height."""
_MARGIN = 20.0
"""Points beyond the page's edge at which a line may begin that runs into it."""
_SHOWS = (b"Tj", b"TJ", b"'", b'"')
_FILLS, _PAINTS = (b"f", b"F", b"f*"), (b"f", b"F", b"f*", b"B", b"B*", b"b", b"b*")
_ENDS = (*_PAINTS, b"S", b"s", b"n")
_SCAN = 0.5
"""The part of a page that an image must cover for invisible text to be what was read from it."""


@dataclass(frozen=True, slots=True)
class _State:
    """What `q` saves and `Q` brings back."""

    ctm: Matrix = _IDENTITY
    fill: Colour = _BLACK
    stroke: Colour = _BLACK
    fill_space: str = "/DeviceGray"
    stroke_space: str = "/DeviceGray"
    mode: int = 0
    size: float = 0.0
    width: float = 100.0
    alpha: float = 1.0


@dataclass(frozen=True, slots=True)
class _Painted:
    """An area of the page that has been painted, from corner to corner; the colour of an image is unknown."""

    left: float
    bottom: float
    right: float
    top: float
    colour: Colour
    image: bool = False

    def holds(self, x: float, y: float) -> bool:
        return self.left <= x <= self.right and self.bottom <= y <= self.top


def shown_text(page: Any) -> str:
    """Return the text of a page of pypdf as it is seen.

    A page that is an image and shows no text beside it is a scan: its invisible text is what was read from the image.
    """
    seen = _Seen(page)
    text = _extracted(page, seen)
    if seen.invisible and not text.strip() and seen.is_scan():
        return _extracted(page, _Seen(page, takes_invisible=True))
    return text


def _extracted(page: Any, seen: "_Seen") -> str:
    return str(page.extract_text(visitor_operand_before=seen.before, visitor_operand_after=seen.after))


@dataclass(slots=True)
class _Seen:
    """Follows the operators of one page."""

    page: Any
    takes_invisible: bool = False
    invisible: bool = False
    _state: _State = _State()
    _saved: list[_State] = field(default_factory=list)
    _resources: list[Any] = field(default_factory=list)
    _path: list[_Painted | None] = field(default_factory=list)
    _painted: list[_Painted] = field(default_factory=list)
    _box: tuple[float, float, float, float] = (0, 0, 612, 792)

    def __post_init__(self) -> None:
        with contextlib.suppress(Exception):  # a damaged box leaves the default
            box = self.page.cropbox
            self._box = (float(box.left), float(box.bottom), float(box.right), float(box.top))
        self._resources = [_get(self.page, "/Resources")]

    def is_scan(self) -> bool:
        left, bottom, right, top = self._box
        whole = abs((right - left) * (top - bottom))
        areas = ((p.right - p.left) * (p.top - p.bottom) for p in self._painted if p.image)
        return max(areas, default=0.0) >= _SCAN * whole

    def before(self, operator: bytes, operands: list[Any], _: Sequence[float], tm: Sequence[float]) -> None:
        """Follow an operator before pypdf does; blank the strings of one that shows nothing."""
        try:
            if operator in _SHOWS:
                self._show(operator, operands, _matrix(tm))
            else:
                self._follow(operator, operands)
        except (TypeError, ValueError, IndexError, KeyError, AttributeError, OverflowError):
            pass  # a damaged operator, of which pypdf makes what it can

    def after(self, operator: bytes, operands: list[Any], _: Sequence[float], tm: Sequence[float]) -> None:
        if operator == b"Do" and len(self._resources) > 1 and self._resources[-1][0] is operands:
            self._resources.pop()
            self._state = self._saved.pop() if self._saved else _State()

    def _follow(self, operator: bytes, operands: list[Any]) -> None:
        s = self._state
        if operator == b"q":
            self._saved.append(s)
        elif operator == b"Q":
            self._state = self._saved.pop() if self._saved else s
        elif operator == b"cm":
            self._state = replace(s, ctm=_times(_matrix(operands), s.ctm))
        elif operator == b"Tf":
            self._state = replace(s, size=float(operands[1]))
        elif operator == b"Tz":
            self._state = replace(s, width=float(operands[0]))
        elif operator == b"Tr":
            self._state = replace(s, mode=int(operands[0]))
        elif operator == b"gs":
            self._state = replace(s, alpha=float(_get(self._named("/ExtGState", operands[0]), "/ca", s.alpha)))
        elif operator in (b"cs", b"CS"):
            space = self._space(operands[0])
            new = _BLACK if space in ("/DeviceGray", "/DeviceRGB", "/DeviceCMYK") else None
            self._state = (
                replace(s, fill_space=space, fill=new)
                if operator == b"cs"
                else replace(s, stroke_space=space, stroke=new)
            )
        elif operator in _SPACES:
            self._state = replace(s, fill=_colour(_SPACES[operator], operands), fill_space=_SPACES[operator])
        elif operator.lower() in _SPACES:
            space = _SPACES[operator.lower()]
            self._state = replace(s, stroke=_colour(space, operands), stroke_space=space)
        elif operator in (b"sc", b"scn"):
            self._state = replace(s, fill=_colour(s.fill_space, operands))
        elif operator in (b"SC", b"SCN"):
            self._state = replace(s, stroke=_colour(s.stroke_space, operands))
        else:
            self._paint(operator, operands)

    def _paint(self, operator: bytes, operands: list[Any]) -> None:
        s = self._state
        if operator == b"re":
            x, y, w, h = map(float, operands)
            self._path.append(_area(s.ctm, ((x, y), (x + w, y), (x, y + h), (x + w, y + h)), s.fill))
        elif operator in (b"m", b"l"):
            x, y = map(float, operands)
            self._path.append(_area(s.ctm, ((x, y),), None))
        elif operator == b"c":
            points = [float(o) for o in operands]
            self._path.append(_area(s.ctm, list(zip(points[::2], points[1::2], strict=False)), None))
        elif operator in _ENDS:
            if operator in _PAINTS:
                self._painted += _joined([p for p in self._path if p], s.fill)
            self._path.clear()
        elif operator == b"sh":
            self._painted.append(_Painted(*self._box, None))
        elif operator == b"Do":
            drawn = self._named("/XObject", operands[0])
            kind = _get(drawn, "/Subtype")
            if kind == "/Image":
                area = _area(s.ctm, ((0, 0), (1, 0), (0, 1), (1, 1)), None)
                self._painted.append(replace(area, image=True))
            elif kind == "/Form":
                self._saved.append(s)
                self._state = replace(s, ctm=_times(_matrix(_get(drawn, "/Matrix", _IDENTITY)), s.ctm))
                self._resources.append((operands, _get(drawn, "/Resources")))

    def _show(self, operator: bytes, operands: list[Any], tm: Matrix) -> None:
        if self._is_shown(tm):
            return
        from pypdf.generic import ArrayObject, TextStringObject

        place = 2 if operator == b'"' else 0
        self.invisible = self.invisible or self._state.mode == 3
        operands[place] = ArrayObject() if operator == b"TJ" else TextStringObject("")

    def _is_shown(self, tm: Matrix) -> bool:
        s = self._state
        if s.mode == 3 and self.takes_invisible:
            s = replace(s, mode=0, fill=_BLACK)
        if s.mode in (3, 7) or s.alpha < 0.05 or abs(s.width) < 5:
            return False
        a, b, c, d, x, y = _times(tm, s.ctm)
        left, bottom, right, top = self._box
        height = abs(s.size) * math.hypot(c, d)
        if height < min(_TINY, (top - bottom) / 500) or math.hypot(a, b) == 0:
            return False
        if not (left - _MARGIN <= x <= right + _MARGIN and bottom - _MARGIN <= y <= top + _MARGIN):
            return False
        under = self._under(x + 0.2 * height * a / math.hypot(a, b), y + 0.3 * height * d / math.hypot(c, d))
        drawn = {0: (s.fill,), 4: (s.fill,), 1: (s.stroke,), 5: (s.stroke,)}.get(s.mode, (s.fill, s.stroke))
        return not all(_alike(colour, under) for colour in drawn)

    def _under(self, x: float, y: float) -> Colour:
        """Return the colour of what has been painted last at a point; paper is white."""
        return next((p.colour for p in reversed(self._painted) if p.holds(x, y)), _WHITE)

    def _named(self, kind: str, name: Any) -> Any:
        resources = self._resources[-1]
        return _get(_get(resources[1] if isinstance(resources, tuple) else resources, kind), name)

    def _space(self, name: Any) -> str:
        found = self._named("/ColorSpace", name)
        if isinstance(found, list) and found:
            if found[0] == "/ICCBased" and len(found) > 1:
                parts = _get(_resolved(found[1]), "/N")
                return {1: "/DeviceGray", 3: "/DeviceRGB", 4: "/DeviceCMYK"}.get(parts, "unknown")
            return {"/CalRGB": "/DeviceRGB", "/CalGray": "/DeviceGray"}.get(str(found[0]), "unknown")
        return str(name)


_SPACES = {b"g": "/DeviceGray", b"rg": "/DeviceRGB", b"k": "/DeviceCMYK"}


def _colour(space: str, operands: Sequence[Any]) -> Colour:
    """Return a colour of a device's space.

    >>> _colour("/DeviceCMYK", [0, 0, 0, 0])
    (1.0, 1.0, 1.0)
    """
    parts = [min(1.0, max(0.0, float(o))) for o in operands if not isinstance(o, str)]
    if len(parts) != len(operands):
        return None
    if space == "/DeviceGray" and len(parts) == 1:
        return (parts[0], parts[0], parts[0])
    if space == "/DeviceRGB" and len(parts) == 3:
        return (parts[0], parts[1], parts[2])
    if space == "/DeviceCMYK" and len(parts) == 4:
        red, green, blue = ((1 - p) * (1 - parts[3]) for p in parts[:3])
        return (red, green, blue)
    return None


def _alike(one: Colour, other: Colour) -> bool:
    # Dark on dark is left alone: where an area is cut to a shape, its corners say too much of what it covers.
    return bool(one and other and min(one) > 0.8 and all(abs(a - b) < _ALIKE for a, b in zip(one, other, strict=True)))


def _joined(areas: Sequence[_Painted], fill: Colour) -> Iterator[_Painted]:
    """Yield what a path paints: its rectangles in the fill's colour; any other shape around its corners, unknown."""
    yield from (replace(a, colour=fill) for a in areas if a.left < a.right and a.bottom < a.top and a.colour)
    rest = [a for a in areas if not a.colour]
    if rest:
        corners = (min(a.left for a in rest), min(a.bottom for a in rest))
        yield _Painted(*corners, max(a.right for a in rest), max(a.top for a in rest), None)


def _area(ctm: Matrix, points: Sequence[tuple[float, float]], colour: Colour) -> _Painted:
    a, b, c, d, e, f = ctm
    xs, ys = [a * x + c * y + e for x, y in points], [b * x + d * y + f for x, y in points]
    return _Painted(min(xs), min(ys), max(xs), max(ys), colour)


def _times(one: Matrix, other: Matrix) -> Matrix:
    a, b, c, d, e, f = one
    g, h, i, j, k, m = other
    return (a * g + b * i, a * h + b * j, c * g + d * i, c * h + d * j, e * g + f * i + k, e * h + f * j + m)


def _matrix(operands: Sequence[Any]) -> Matrix:
    a, b, c, d, e, f = (float(o) for o in operands)
    return (a, b, c, d, e, f)


def _resolved(found: Any) -> Any:
    return found.get_object() if hasattr(found, "get_object") else found


def _get(holder: Any, key: str, default: Any = None) -> Any:
    """Return an entry of a dictionary that may be none, resolved."""
    holder = _resolved(holder)
    found = _resolved(holder.get(key)) if hasattr(holder, "get") else None
    return default if found is None else found
