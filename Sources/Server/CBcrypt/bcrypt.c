#include "bcrypt.h"

#include <crypt.h>
#include <stdlib.h>
#include <string.h>

int strake_bcrypt_setting(int cost, char *out) {
    char setting[CRYPT_GENSALT_OUTPUT_SIZE];
    if (cost < 4 || cost > 31) return -1;
    if (crypt_gensalt_rn("$2b$", (unsigned long)cost, NULL, 0, setting, sizeof setting) == NULL) return -1;
    if (strlen(setting) != STRAKE_BCRYPT_SETTING_BYTES - 1) return -1;
    memcpy(out, setting, STRAKE_BCRYPT_SETTING_BYTES);
    return 0;
}

int strake_bcrypt(const char *phrase, const char *setting, char *out) {
    // 32 KiB: too much for the stack of a small thread, and to be wiped, since it holds the phrase.
    struct crypt_data *data = calloc(1, sizeof *data);
    if (data == NULL) return -1;
    const char *hash = crypt_rn(phrase, setting, data, sizeof *data);
    int result = -1;
    if (hash != NULL && strlen(hash) == STRAKE_BCRYPT_BYTES - 1) {
        memcpy(out, hash, STRAKE_BCRYPT_BYTES);
        result = 0;
    }
    explicit_bzero(data, sizeof *data);
    free(data);
    return result;
}
