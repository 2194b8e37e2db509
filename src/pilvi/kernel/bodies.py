"""From the bytes of a request's body to what they say."""

from typing import Any, Final
from urllib.parse import parse_qsl

import falcon
import orjson

from pilvi.kernel.errors import BadRequest, TooLarge, UnsupportedMediaType

BODY_LIMIT: Final = 2 * 1024 * 1024
FORM: Final = "application/x-www-form-urlencoded"
MOST_FIELDS: Final = 50


def decode(req: falcon.Request, media: tuple[str, ...]) -> Any:
    """The body, of one of these media types; None where there is none."""
    data = _read(req)
    if not data.strip():
        return None
    kind = (req.content_type or "application/json").partition(";")[0].strip().lower()
    if kind not in media:
        raise UnsupportedMediaType(
            f"Unsupported Content-Type {kind}: send {' or '.join(media)}.",
            headers={"Accept-Patch": ", ".join(media)} if req.method == "PATCH" else {},
        )
    if kind == FORM:
        return form(data)
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise BadRequest(f"Malformed JSON: {error}. The request body must be valid JSON.") from None


def _read(req: falcon.Request) -> bytes:
    length = req.content_length
    if length is not None and length > BODY_LIMIT:
        raise TooLarge(f"The request body is larger than {BODY_LIMIT} bytes.")
    data = req.bounded_stream.read(BODY_LIMIT + 1) if length else b""
    if not length and req.get_header("Transfer-Encoding"):
        data = req.stream.read(BODY_LIMIT + 1)
    if len(data) > BODY_LIMIT:
        raise TooLarge(f"The request body is larger than {BODY_LIMIT} bytes.")
    return data


def form(data: bytes) -> dict[str, str]:
    """The fields of a form, each once."""
    try:
        pairs = parse_qsl(data.decode(), keep_blank_values=True, strict_parsing=True, max_num_fields=MOST_FIELDS)
    except ValueError:
        raise BadRequest("Malformed form: the body must be NAME=VALUE&NAME=VALUE.", type="invalid_request") from None
    if len(dict(pairs)) < len(pairs):
        raise BadRequest("A field of the form is there twice.", type="invalid_request")
    return dict(pairs)
