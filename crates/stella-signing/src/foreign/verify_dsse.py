"""Verifies a DSSE envelope with securesystemslib: {"envelope": …, "jwk": …} on standard input."""
import base64
import json
import sys

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from securesystemslib.dsse import Envelope
from securesystemslib.signer import SSlibKey


def raw(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def key_of(jwk):
    if jwk["kty"] == "OKP":
        return SSlibKey(jwk["kid"], "ed25519", "ed25519", {"public": raw(jwk["x"]).hex()})
    point = b"\x04" + raw(jwk["x"]) + raw(jwk["y"])
    public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    return SSlibKey(jwk["kid"], "ecdsa", "ecdsa-sha2-nistp256", {"public": pem})


asked = json.load(sys.stdin)
envelope = Envelope.from_dict(asked["envelope"])
envelope.verify([key_of(asked["jwk"])], 1)
sys.stdout.buffer.write(envelope.payload)
