/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where this system keeps the certificates of the authorities that it trusts. The executable of the
 * npm package contains OpenSSL, which looks where the system that it was built on keeps them; each
 * family of Linux has a place of its own. The linker puts these two in the place of OpenSSL's (--wrap
 * in native/CMakeLists.txt). What SSL_CERT_FILE and SSL_CERT_DIR name still goes first.
 */
#include <stddef.h>
#include <unistd.h>

const char *__real_X509_get_default_cert_file(void);
const char *__real_X509_get_default_cert_dir(void);
const char *__wrap_X509_get_default_cert_file(void);
const char *__wrap_X509_get_default_cert_dir(void);

const char *__wrap_X509_get_default_cert_file(void) {
  static const char *const places[] = {
      "/etc/ssl/certs/ca-certificates.crt",                /* Debian, Ubuntu, Arch, Alpine */
      "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", /* Fedora, RHEL */
      "/etc/pki/tls/certs/ca-bundle.crt",                  /* Fedora, RHEL, older */
      "/etc/ssl/ca-bundle.pem",                            /* SUSE */
      "/etc/ssl/cert.pem",                                 /* OpenSSL where nobody moved it */
  };
  for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
    if (access(places[i], R_OK) == 0) return places[i];
  }
  return __real_X509_get_default_cert_file();
}

const char *__wrap_X509_get_default_cert_dir(void) {
  static const char place[] = "/etc/ssl/certs";
  return access(place, R_OK) == 0 ? place : __real_X509_get_default_cert_dir();
}
