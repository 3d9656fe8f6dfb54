# Why exactly something is refused. Who tells it names the code, whose texts are in errors.ftl, and
# the place. `error_description` of RFC 6749 and RFC 6750 takes ASCII alone.

# Access tokens
refused-token-no-text = the Authorization header is no text
refused-token-scheme = the scheme is not DPoP: tokens here are sender-constrained
refused-token-no-jwt = not an EdDSA JWT
refused-token-typ = typ is not at+jwt
refused-token-no-kid = no kid
refused-token-key-unknown = signed with an unknown key
refused-token-broken = the signature or the claims do not hold
refused-token-issuer = another issuer
refused-token-audience = another audience
refused-token-expired = it has expired
refused-token-early = it is not valid yet: check the clocks of server and client
refused-token-bound-otherwise = the token is bound to another key
refused-token-tenants-differ = its two tenant claims differ
refused-token-tenant = its tenant is no tenant id

# DPoP proofs, and what may be used once
refused-proof-count = exactly one DPoP header is needed
refused-proof-no-text = the DPoP header is no text
refused-proof-no-jwt = the proof is no EdDSA JWT
refused-proof-typ = the proof's typ is not dpop+jwt
refused-proof-no-key = the proof holds no public Ed25519 key
refused-proof-broken = the proof's signature or claims do not hold
refused-proof-jti = the proof's jti is empty or too long
refused-proof-method = the proof's htm is not the method
refused-proof-url = the proof's htu is not the URL
refused-proof-time = the proof's iat is not now: check the clocks of server and client
refused-proof-token = the proof's ath is not the token's
refused-once-unremembered = it cannot be remembered
refused-once-used = it was used before
refused-once-full = too many at once

# The token endpoint
refused-form-encoded = Content-Encoding { $encoding } is not undone
refused-form = the body must be application/x-www-form-urlencoded
refused-grant-type = not `{ $found }`: client_credentials
refused-grant-type-missing = grant_type is missing
refused-resource = tokens for single services are not given yet
refused-client-unknown = no such client, or not its key
refused-client-no-role = the client has no role anywhere
refused-client-no-role-in = the client has no role in tenant `{ $tenant }`
refused-client-tenants = TENANT_AMBIGUOUS: the client has several tenants; say `tenant=`
refused-assertion-type = client_assertion_type must be that of private_key_jwt
refused-assertion-missing = client_assertion is missing
refused-assertion-no-jwt = the assertion is no EdDSA JWT
refused-assertion-no-kid = the assertion has no kid
refused-assertion-no-sub = the assertion has no sub
refused-assertion-issuer = the assertion's iss and sub differ
refused-assertion-audience = the assertion's aud is not this issuer
refused-assertion-expired = the assertion has expired
refused-assertion-long = the assertion lives too long: at most { $limit } seconds
refused-assertion-early = the assertion is not valid yet: check the clocks of server and client
refused-assertion-jti = the assertion's jti is empty or too long
refused-scope-missing = say which scopes
refused-scope-unknown = `{ $scope }` is no scope
refused-scope-not-held = the client's roles do not hold { $scope }
refused-scope-alone = { $scope } is given only together with { $other }
refused-scope-beside = { $scope } and { $other } are never in one token

# Requests
refused-name-utf8 = is no UTF-8 text
refused-name-long = has { $size } bytes, { $limit } are the limit
refused-parameter-any = the route takes no parameters of a query
refused-parameter-unknown = is no parameter of the route; it takes { $known }
refused-header-twice = { $name } is sent more than once
refused-idempotency-key = a key is 1 to { $most } visible ASCII characters
refused-body-no-object = expected an object, found { $kind }
refused-line-no-object = expected an object with envelope, and raw or rawBase64
refused-line-raw = expected exactly one of raw and rawBase64
refused-line-base64 = expected base64 (RFC 4648, section 4)
refused-name-nul = the character U+0000 is in no name
refused-seconds = { $seconds } seconds: at most { $most }
refused-page-size = expected 1 to { $most }, not `{ $size }`
refused-position = expected a position, 0 or more, not `{ $value }`
refused-time = expected a time in RFC 3339, such as 2026-01-31T12:00:00Z, not `{ $value }`
refused-past-of-all = findings of the past are matched for the answer: say of which SBOM (sbom, or --sbom; stella evidence list --kind sbom)
refused-id = `{ $id }` is no digest and no prefix of { $digits } or more
refused-finding-id = `{ $id }` is no finding's whole id
refused-score-id = `{ $id }` is no score's id and no prefix of one
refused-replay-of-what = say exactly one of manifest, token and scoreId
refused-manifest = `{ $id }` is no manifest's digest: sha256: and 64 hex digits

# The envelope of evidence
refused-envelope-count = exactly one provenance header is needed
refused-envelope-encoding = the header is no base64url
refused-envelope-derived = `{ $key }` is derived: it never goes in
refused-envelope-unknown = `{ $key }` is no field of an envelope
refused-envelope-missing = is missing
refused-envelope-length = is empty or longer than { $limit } bytes
refused-envelope-control = holds control characters
refused-envelope-time = is no RFC 3339 time
refused-envelope-digest = is not sha256: and 64 lower-case hex digits

# Documents
refused-document-checksum = contentDigest says { $declared }, the bytes have { $found }
refused-document-large = the document has { $found } bytes, more than { $limit }
refused-document-kind = this is evidence of kind { $found }: post it to /api/v1/evidence/{ $found }
refused-document-nul = the character U+0000 stands in this text
refused-document-long = the text has { $found } bytes, more than the { $limit } that are kept of such a text
notice-not-derived = kept, and no finding is derived from it yet: { $reason }
notice-whole = the whole document
