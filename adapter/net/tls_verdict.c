#include "net/tls_verdict.h"

enum { NOT_YET = 1 << 9, EXPIRED = 1 << 10 }; /* gnutls_certificate_status_t */

static bool code_is_tls(CURLcode code)
{
    return code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CONNECT_ERROR ||
           code == CURLE_SSL_CACERT_BADFILE || code == CURLE_SSL_CERTPROBLEM ||
           code == CURLE_SSL_CIPHER || code == CURLE_SSL_ISSUER_ERROR ||
           code == CURLE_SSL_INVALIDCERTSTATUS || code == CURLE_SSL_ENGINE_INITFAILED;
}

/* curl's own text names the memory file; GnuTLS's verdict says enough. */
bool tls_verdict(CURL *easy, CURLcode code, const char *ca, const char *host, struct err *err)
{
    long verdict = 0;

    if (!code_is_tls(code)) return false;
    curl_easy_getinfo(easy, CURLINFO_SSL_VERIFYRESULT, &verdict);
    if (code == CURLE_SSL_CACERT_BADFILE) {
        err_set(err, ERR_TRANSIENT, "http.tls", "%s has no certificate that can be read", ca);
        err_fix(err, "put the certificate of %s's authority there as PEM text", host);
    } else if (verdict & (NOT_YET | EXPIRED)) {
        err_set(err, ERR_TRANSIENT, "http.tls", "the certificate of %s %s", host,
                verdict & EXPIRED ? "has expired" : "is not valid yet");
        err_fix(err, "renew it there, or set the clock of this machine");
    } else if (verdict) {
        err_set(err, ERR_TRANSIENT, "http.tls", "no authority in %s vouches for %s", ca, host);
        err_fix(err, "add the certificate of the authority that signed %s's to %s", host, ca);
    } else if (code == CURLE_PEER_FAILED_VERIFICATION) {
        err_set(err, ERR_TRANSIENT, "http.tls", "the certificate of %s is for another name", host);
        err_fix(err, "use the name in the certificate as the host of the URL");
    } else {
        err_set(err, ERR_TRANSIENT, "http.tls", "no TLS with %s: %s", host,
                curl_easy_strerror(code));
        err_fix(err, "check that %s speaks TLS 1.2 or 1.3 on this port", host);
    }
    return true;
}
