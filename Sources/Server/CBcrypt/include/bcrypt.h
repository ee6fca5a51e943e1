#ifndef STRAKE_BCRYPT_H
#define STRAKE_BCRYPT_H

/// Bytes of a bcrypt hash, and of its front that says how it was made, each with the zero at the end.
#define STRAKE_BCRYPT_BYTES 61
#define STRAKE_BCRYPT_SETTING_BYTES 30

/// Makes a setting with a salt of the system's randomness. Returns 0, or -1 for a cost that there is not.
int strake_bcrypt_setting(int cost, char *out);

/// Hashes a text that ends with a zero. Returns 0, or -1 when the setting is not one of bcrypt's or memory is short.
int strake_bcrypt(const char *phrase, const char *setting, char *out);

#endif
