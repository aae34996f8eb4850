"""The date of a web page, from what the page states of itself: a date in its prose is what the page tells of."""

import re
from copy import deepcopy
from typing import Any

_DATES = re.compile(r"dat|time|publi|creat|issue", re.IGNORECASE)
_PUBLISHED = re.compile(r"(?:^|[\s-])(?:published|datepublished|entry-date)(?:\s|$)", re.IGNORECASE)


def stated_date(tree: Any) -> str | None:
    """Return when a page was published (ISO 8601), or None where its metadata does not say; `tree` is as lxml parses it.

    Metadata are its `meta` elements, JSON-LD, its canonical address, and a `time` that is marked as that of publishing.
    """
    import trafilatura
    from lxml import html

    # The library would go on to search all the page's text: it is given nothing but the metadata.
    stated = html.document_fromstring("<html><head></head><body></body></html>")
    head = stated.find("head")
    for element in tree.iter("meta", "link", "script", "time"):
        named = " ".join(filter(None, map(element.get, ("name", "property", "itemprop", "class"))))
        if element.tag == "time":
            if element.get("datetime") and ("pubdate" in element.attrib or _PUBLISHED.search(named)):
                head.append(html.Element("meta", itemprop="datePublished", content=element.get("datetime")))
        elif (
            (element.tag == "meta" and _DATES.search(named))
            or (element.tag == "link" and element.get("rel") == "canonical")
            or (element.tag == "script" and "json" in element.get("type", ""))
        ):
            kept = deepcopy(element)
            kept.tail = None
            head.append(kept)
    date: str | None = trafilatura.extract_metadata(
        stated, date_config={"original_date": True, "extensive_search": False}
    ).date
    return date
