"""How schemathesis signs in: private_key_jwt for a token, and a DPoP proof for each request."""
import base64
import hashlib
import json
import os
import threading
import time
import uuid

import requests
import schemathesis
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

b64 = lambda raw: base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
server = os.environ["STELLA_URL"]
client = load_pem_private_key(open(os.environ["STELLA_KEY"], "rb").read(), None)
proof_key = Ed25519PrivateKey.generate()

def jwk(key):
    x = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return {"crv": "Ed25519", "kty": "OKP", "x": b64(x)}

def jwt(key, header, claims):
    head = b64(json.dumps({"alg": "EdDSA", **header}).encode())
    body = b64(json.dumps(claims).encode())
    return f"{head}.{body}." + b64(key.sign(f"{head}.{body}".encode()))

def thumbprint(key):
    return b64(hashlib.sha256(json.dumps(jwk(key), separators=(",", ":"), sort_keys=True).encode()).digest())

def proof(method, url, token=None):
    claims = {"jti": str(uuid.uuid4()), "htm": method, "htu": url.split("?")[0].split("#")[0], "iat": int(time.time())}
    if token:
        claims["ath"] = b64(hashlib.sha256(token.encode()).digest())
    return jwt(proof_key, {"typ": "dpop+jwt", "jwk": jwk(proof_key)}, claims)

lock, held = threading.Lock(), {}
def token(scopes):
    with lock:
        if scopes in held and time.time() < held[scopes][1]:
            return held[scopes][0]
        now = int(time.time())
        ident = os.environ["STELLA_CLIENT"]
        assertion = jwt(client, {"kid": thumbprint(client)}, {"iss": ident, "sub": ident, "aud": server, "jti": str(uuid.uuid4()), "iat": now, "exp": now + 60})
        form = {"grant_type": "client_credentials", "scope": scopes, "tenant": os.environ["STELLA_TENANT"], "client_id": ident, "client_assertion": assertion,
                "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}
        url = server + "/oauth/token"
        answer = requests.post(url, data=form, headers={"DPoP": proof("POST", url)})
        answer.raise_for_status()
        told = answer.json()
        held[scopes] = told["access_token"], time.time() + told["expires_in"] - 20
        return held[scopes][0]

class Auth(requests.auth.AuthBase):
    def __call__(self, request):
        if request.url.split("?")[0].endswith("/oauth/token"):
            request.headers["DPoP"] = proof("POST", request.url)
            return request
        admin = request.url.split("?")[0].endswith("/evidence/rebuild")
        held = token("evidence:admin" if admin else os.environ["STELLA_SCOPES"])
        request.headers["Authorization"] = "DPoP " + held
        request.headers["DPoP"] = proof(request.method, request.url, held)
        return request

schemathesis.auth.set_from_requests(Auth())

@schemathesis.serializer("application/x-ndjson")
def ndjson(ctx, value):
    if isinstance(value, list):
        return b"".join(json.dumps(line).encode() + b"\n" for line in value)
    return json.dumps(value).encode() + b"\n"
