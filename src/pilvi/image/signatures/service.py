"""Finds the certificate that an image's signature names. Identity keeps certificates, as credentials of type `cert`."""

from pilvi.identity import facade as identity
from pilvi.image.images.model import Image
from pilvi.image.signatures.model import Seal, signature_of
from pilvi.kernel.db import Tx
from pilvi.kernel.errors import BadRequest


def seal_of(tx: Tx, image: Image, *, user_id: str, project_id: str) -> Seal | None:
    """What the bytes must agree with, as this user may see it; None for an image that is not signed."""
    signature = signature_of(image.properties)
    if signature is None:
        return None
    certificate = identity.certificate(tx, signature.certificate_id, user_id=user_id, project_id=project_id)
    if certificate is None:
        raise BadRequest(
            f"There is no certificate {signature.certificate_id} for you or your project: make a credential of type "
            "cert that holds it (PEM), and give its id as img_signature_certificate_uuid."
        )
    return Seal(signature, certificate)
