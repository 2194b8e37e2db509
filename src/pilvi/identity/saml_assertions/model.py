"""The documents of SAML 2.0 that this cloud issues, as text. Pure.

Each is written in the form of exclusive canonical XML at once: attributes in order, each namespace declared where it is
first used, nothing between elements. So the text that is signed is the text that is sent.
"""

from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from pilvi.kernel.errors import BadRequest

ASSERTION: Final = "urn:oasis:names:tc:SAML:2.0:assertion"
PROTOCOL: Final = "urn:oasis:names:tc:SAML:2.0:protocol"
METADATA: Final = "urn:oasis:names:tc:SAML:2.0:metadata"
ECP: Final = "urn:oasis:names:tc:SAML:2.0:profiles:SSO:ecp"
SIGNATURE: Final = "http://www.w3.org/2000/09/xmldsig#"
SOAP: Final = "http://schemas.xmlsoap.org/soap/envelope/"
ENVELOPED: Final = SIGNATURE + "enveloped-signature"
EXCLUSIVE: Final = "http://www.w3.org/2001/10/xml-exc-c14n#"
RSA_SHA256: Final = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
SHA256: Final = "http://www.w3.org/2001/04/xmlenc#sha256"
ENTITY: Final = "urn:oasis:names:tc:SAML:2.0:nameid-format:entity"
TRANSIENT: Final = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"
BEARER: Final = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
PASSWORD: Final = "urn:oasis:names:tc:SAML:2.0:ac:classes:Password"  # noqa: S105 the name of a class
SUCCESS: Final = "urn:oasis:names:tc:SAML:2.0:status:Success"
SOAP_BINDING: Final = "urn:oasis:names:tc:SAML:2.0:bindings:SOAP"
NEXT_ACTOR: Final = "http://schemas.xmlsoap.org/soap/actor/next"
HEAD: Final = "<?xml version='1.0' encoding='UTF-8'?>\n"

Sign = Callable[[bytes], bytes]
"""RSA with PKCS#1 v1.5 padding over SHA-256."""


@dataclass(frozen=True, slots=True)
class Claims:
    """What an assertion says, and to whom."""

    issuer: str
    recipient: str
    audience: str
    user: str
    attributes: Mapping[str, Sequence[str]]
    issued_at: str
    ends_at: str
    assertion_id: str
    response_id: str
    """Both begin with a letter, as names in XML do."""


def _allowed(text: str) -> str:
    for letter in text:
        code = ord(letter)
        if (code < 0x20 and letter not in "\t\n\r") or 0xD800 <= code <= 0xDFFF or code in (0xFFFE, 0xFFFF):
            raise BadRequest("A name has a character that XML cannot carry, so there is no assertion about it.")
    return text


def _text(text: str) -> str:
    found = _allowed(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return found.replace("\r", "&#xD;")


def _value(text: str) -> str:
    found = _allowed(text).replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
    return found.replace("\t", "&#x9;").replace("\n", "&#xA;").replace("\r", "&#xD;")


def element(name: str, *children: str, declares: Mapping[str, str] | None = None, **attributes: str) -> str:
    """One element; children are elements, or text that `_text` made."""
    spaces = "".join(f' xmlns:{prefix}="{uri}"' for prefix, uri in sorted((declares or {}).items()))
    given = "".join(f' {key}="{_value(value)}"' for key, value in sorted(attributes.items()))
    return f"<{name}{spaces}{given}>{''.join(children)}</{name}>"


def _issuer(issuer: str, declares: Mapping[str, str] | None = None) -> str:
    return element("saml:Issuer", _text(issuer), declares=declares, Format=ENTITY)


def _subject(claims: Claims) -> str:
    data = element("saml:SubjectConfirmationData", NotOnOrAfter=claims.ends_at, Recipient=claims.recipient)
    return element(
        "saml:Subject",
        element("saml:NameID", _text(claims.user)),
        element("saml:SubjectConfirmation", data, Method=BEARER),
    )


def _conditions(claims: Claims) -> str:
    audience = element("saml:AudienceRestriction", element("saml:Audience", _text(claims.audience)))
    return element("saml:Conditions", audience, NotBefore=claims.issued_at, NotOnOrAfter=claims.ends_at)


def _authentication(claims: Claims) -> str:
    context = element(
        "saml:AuthnContext",
        element("saml:AuthnContextClassRef", _text(PASSWORD)),
        element("saml:AuthenticatingAuthority", _text(claims.issuer)),
    )
    return element(
        "saml:AuthnStatement",
        context,
        AuthnInstant=claims.issued_at,
        SessionIndex=claims.assertion_id,
        SessionNotOnOrAfter=claims.ends_at,
    )


def _attributes(claims: Claims) -> str:
    found = [
        element("saml:Attribute", *(element("saml:AttributeValue", _text(value)) for value in values), Name=name)
        for name, values in claims.attributes.items()
        if values
    ]
    return element("saml:AttributeStatement", *found)


def signature(signed: str, id: str, certificate: str, sign: Sign) -> str:
    """About the element of this id, whose canonical text without the signature is `signed`."""
    reference = element(
        "ds:Reference",
        element(
            "ds:Transforms",
            element("ds:Transform", Algorithm=ENVELOPED),
            element("ds:Transform", Algorithm=EXCLUSIVE),
        ),
        element("ds:DigestMethod", Algorithm=SHA256),
        element("ds:DigestValue", b64encode(sha256(signed.encode()).digest()).decode()),
        URI=f"#{id}",
    )
    inside = (
        element("ds:CanonicalizationMethod", Algorithm=EXCLUSIVE),
        element("ds:SignatureMethod", Algorithm=RSA_SHA256),
        reference,
    )
    alone = element("ds:SignedInfo", *inside, declares={"ds": SIGNATURE})  # As canonicalization sees it by itself.
    return element(
        "ds:Signature",
        element("ds:SignedInfo", *inside),
        element("ds:SignatureValue", b64encode(sign(alone.encode())).decode()),
        element("ds:KeyInfo", _x509(certificate)),
        declares={"ds": SIGNATURE},
    )


def _x509(certificate: str) -> str:
    return element("ds:X509Data", element("ds:X509Certificate", certificate))


def assertion(claims: Claims, certificate: str, sign: Sign) -> str:
    first = _issuer(claims.issuer)
    rest = _subject(claims) + _conditions(claims) + _authentication(claims) + _attributes(claims)

    def around(*children: str) -> str:
        return element(
            "saml:Assertion",
            *children,
            declares={"saml": ASSERTION},
            ID=claims.assertion_id,
            IssueInstant=claims.issued_at,
            Version="2.0",
        )

    return around(first, signature(around(first, rest), claims.assertion_id, certificate, sign), rest)


def response(claims: Claims, certificate: str, sign: Sign) -> str:
    return element(
        "samlp:Response",
        _issuer(claims.issuer, declares={"saml": ASSERTION}),
        element("samlp:Status", element("samlp:StatusCode", Value=SUCCESS)),
        assertion(claims, certificate, sign),
        declares={"samlp": PROTOCOL},
        Destination=claims.recipient,
        ID=claims.response_id,
        IssueInstant=claims.issued_at,
        Version="2.0",
    )


def envelope(inner: str, relay_state: str) -> str:
    """The same for a client that carries it by itself: the profile Enhanced Client or Proxy."""
    relay = (
        f'<ecp:RelayState xmlns:ecp="{ECP}" soap:actor="{NEXT_ACTOR}" soap:mustUnderstand="1">'
        f"{_text(relay_state)}</ecp:RelayState>"
    )
    return element("soap:Envelope", element("soap:Header", relay), element("soap:Body", inner), declares={"soap": SOAP})


def metadata(entity: str, location: str, certificate: str) -> str:
    """What another cloud must know of this one to take its assertions."""
    key = element("ds:KeyInfo", _x509(certificate), declares={"ds": SIGNATURE})
    descriptor = element(
        "md:IDPSSODescriptor",
        element("md:KeyDescriptor", key, use="signing"),
        element("md:NameIDFormat", _text(TRANSIENT)),
        element("md:SingleSignOnService", Binding=SOAP_BINDING, Location=location),
        WantAuthnRequestsSigned="false",
        protocolSupportEnumeration=PROTOCOL,
    )
    return element("md:EntityDescriptor", descriptor, declares={"md": METADATA}, entityID=entity)
