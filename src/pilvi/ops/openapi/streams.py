"""What the `live` process answers beside the route table: the bytes of images."""

from typing import Any, Final

_BYTES: Final[dict[str, Any]] = {"application/octet-stream": {}}
_UPLOADED: Final = {"204": {"description": "All bytes are kept."}}


def _operation(id: str, summary: str, rule: str, responses: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "operationId": id,
        "summary": summary,
        "tags": ["image_data"],
        "x-pilvi-rule": rule,
        "x-pilvi-process": "live",
        **more,
        "responses": responses,
    }


STREAMS: Final[dict[str, dict[str, dict[str, Any]]]] = {
    "/v2/images/{id}/file": {
        "put": _operation(
            "put_v2_images_id_file", "Upload the bytes of an image.", "upload_image", _UPLOADED,
            requestBody={"required": True, "content": _BYTES},
        ),
        "get": _operation(
            "get_v2_images_id_file", "Download the bytes of an image, or a range of them.", "download_image",
            {
                "200": {"description": "All bytes.", "content": _BYTES},
                "204": {"description": "The image has no bytes yet."},
                "206": {"description": "The bytes that `Range` asked for.", "content": _BYTES},
            },
        ),
    },
    "/v2/images/{id}/stage": {
        "put": _operation(
            "put_v2_images_id_stage", "Put bytes where an import with glance-direct takes them.", "upload_image",
            _UPLOADED, requestBody={"required": True, "content": _BYTES},
        )
    },
}  # fmt: skip
"""Path below /image → method → operation."""
