"""Who may log in: a password, an RSA key pair or an OAuth token."""

import base64
import hashlib
import json
import time
from dataclasses import dataclass, field
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

from errors import SnowflakeError


@dataclass(frozen=True)
class Account:
    name: str
    user: str
    password: str
    # DER, of the key of the user.
    public_key: bytes | None = None
    tokens: frozenset[str] = field(default_factory=frozenset)

    def check(self, data: dict[str, Any]) -> str:
        """The user who logs in."""
        match str(data.get("AUTHENTICATOR") or "SNOWFLAKE").upper():
            case "SNOWFLAKE_JWT":
                return self._check_jwt(str(data.get("TOKEN")))
            case "OAUTH" | "WORKLOAD_IDENTITY" | "PROGRAMMATIC_ACCESS_TOKEN":
                if data.get("TOKEN") not in self.tokens:
                    raise SnowflakeError(390303, "08001", "Invalid OAuth access token.")
                return self.user
            case "SNOWFLAKE":
                if str(data.get("LOGIN_NAME")).upper() != self.user.upper() or data.get("PASSWORD") != self.password:
                    raise SnowflakeError(390100, "08001", "Incorrect username or password was specified.")
                return self.user
            case other:
                raise SnowflakeError(390008, "08001", f"the stand-in does not support the authenticator {other}")

    def _check_jwt(self, token: str) -> str:
        """RS256; `iss` is ACCOUNT.USER.SHA256:<fingerprint of the public key>, `sub` ACCOUNT.USER."""
        refusal = SnowflakeError(390144, "08001", "JWT token is invalid.")
        if self.public_key is None:
            raise refusal
        try:
            signed, _, signature = token.rpartition(".")
            header, claims = (json.loads(_decode(part)) for part in signed.split("."))
            key = load_der_public_key(self.public_key)
            key.verify(_decode(signature), signed.encode(), padding.PKCS1v15(), SHA256())  # type: ignore[union-attr,call-arg]
            spki = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        except (ValueError, InvalidSignature):
            raise refusal from None
        fingerprint = base64.b64encode(hashlib.sha256(spki).digest()).decode()
        subject = f"{self.name.split('.')[0].upper()}.{self.user.upper()}"
        is_ours = claims.get("sub") == subject and claims.get("iss") == f"{subject}.SHA256:{fingerprint}"
        if header.get("alg") != "RS256" or not is_ours or claims.get("exp", 0) < time.time():
            raise refusal
        return self.user


def _decode(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
