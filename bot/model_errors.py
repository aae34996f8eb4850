"""Why a client of an LLM failed, in gapbot's own words: what a server answers may hold a key, and is never shown."""

import re

NO_HOST, TLS = "its host name is not known", "a safe connection to it failed (TLS)"
_STATUSES = {
    401: "it refused the key (401): is the API key right?", 403: "it refused access (403)", 404: "it does not know this model or address (404)",
    400: "it did not accept the request (400)", 429: "it has no capacity or quota left (429)",
}  # fmt: skip


def reason_of(error: BaseException) -> str:
    """Say in gapbot's own words why a client failed."""
    status = status_of(error)
    if status:
        return _STATUSES.get(status) or f"it failed with status {status}"
    names = " ".join(type(e).__name__ + " " + str(e)[:300] for e in _causes(error))
    if re.search(r"getaddrinfo|Name or service|nodename nor|name resolution|gaierror|No address associated", names):
        return NO_HOST
    if re.search(r"SSL|TLS|CERTIFICATE|certificate", names):
        return TLS
    if re.search(r"Timeout|timed out", names):
        return "it took too long"
    if "No generation chunks" in names:
        return "it sent an empty answer"
    if is_connection(error):
        return "it cannot be reached, or the connection broke"
    return "it sent something that cannot be read"


def is_connection(error: BaseException) -> bool:
    return any(
        isinstance(e, OSError)
        or re.search(r"Connect|RemoteProtocol|ReadError|WriteError|NetworkError|IncompleteRead", type(e).__name__)
        for e in _causes(error)
    )


def status_of(error: BaseException) -> int | None:
    for e in _causes(error):
        response = getattr(e, "response", None)
        for value in (
            getattr(e, "status_code", None),
            getattr(response, "status_code", None),
            getattr(e, "code", None),
        ):
            if isinstance(value, int) and 400 <= value < 600:
                return value
    return None


def _causes(error: BaseException) -> list[BaseException]:
    found: list[BaseException] = []
    while error and error not in found and len(found) < 8:
        found.append(error)
        error = error.__cause__ or error.__context__  # type: ignore[assignment]
    return found
