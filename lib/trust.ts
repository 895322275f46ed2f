/** OpenSSL's words for a certificate that is not trusted, as Node gives them in `code`. */
const UNTRUSTED =
  /^(?:ERR_TLS_CERT_ALTNAME_INVALID|CERT_HAS_EXPIRED|CERT_NOT_YET_VALID|DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_(?:GET_ISSUER_CERT|VERIFY_LEAF_SIGNATURE).*)$/

/** Whether a connection failed since the server's certificate is not trusted: a person must act. */
export const isUntrusted = (error: unknown): boolean =>
  UNTRUSTED.test((error as NodeJS.ErrnoException | undefined)?.code ?? '')
