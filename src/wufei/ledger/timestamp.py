"""
Was this daily root there at that time?

RFC 3161: a timestamp authority signs the hash of what it was shown, with the time. Whoever
makes all chains anew can't make its signature anew.
"""

from datetime import datetime

from cryptography.x509 import load_pem_x509_certificates
from rfc3161_client import (
    HashAlgorithm,
    TimestampRequestBuilder,
    TimeStampResponse,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)


class TimestampInvalid(Exception):
    """The timestamp is not of this root, or not by this authority."""


def request_for(root: str) -> bytes:
    """Return the DER request (.tsq) that asks an authority for a timestamp over the root."""
    return (
        TimestampRequestBuilder()
        .data(root.encode())
        .hash_algorithm(HashAlgorithm.SHA256)
        .cert_request(cert_request=True)
        .build()
        .as_bytes()
    )


def timestamp_of(*, root: str, response: bytes, authority_pem: bytes) -> datetime:
    """
    Return when the authority saw the root.

    :raises TimestampInvalid: if the response is not a valid timestamp over the root by the authority
    """
    try:
        parsed: TimeStampResponse = decode_timestamp_response(response)
        builder = VerifierBuilder()
        for certificate in load_pem_x509_certificates(authority_pem):
            builder = builder.add_root_certificate(certificate)
        builder.build().verify_message(parsed, root.encode())
    except (ValueError, VerificationError) as why:
        raise TimestampInvalid(str(why)) from why
    return parsed.tst_info.gen_time
