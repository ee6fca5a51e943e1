"""Reads header blocks (RFC 7541) of a server that was told to keep no dynamic table."""

# Appendix A.
STATIC = [
    (":authority", ""), (":method", "GET"), (":method", "POST"), (":path", "/"), (":path", "/index.html"),
    (":scheme", "http"), (":scheme", "https"), (":status", "200"), (":status", "204"), (":status", "206"),
    (":status", "304"), (":status", "400"), (":status", "404"), (":status", "500"), ("accept-charset", ""),
    ("accept-encoding", "gzip, deflate"), *((name, "") for name in (
        "accept-language", "accept-ranges", "accept", "access-control-allow-origin", "age", "allow", "authorization",
        "cache-control", "content-disposition", "content-encoding", "content-language", "content-length",
        "content-location", "content-range", "content-type", "cookie", "date", "etag", "expect", "expires", "from", "host",
        "if-match", "if-modified-since", "if-none-match", "if-range", "if-unmodified-since", "last-modified", "link",
        "location", "max-forwards", "proxy-authenticate", "proxy-authorization", "range", "referer", "refresh",
        "retry-after", "server", "set-cookie", "strict-transport-security", "transfer-encoding", "user-agent", "vary",
        "via", "www-authenticate")),
]
# Appendix B, of NUL and of the printable characters, which are all that gRPC's headers have: in how many bits each is coded.
CHARACTERS = [0, *range(ord(" "), ord("~") + 1)]
LENGTHS = [
    13, 6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10, 13, 6, 7,
    7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6, 15, 5, 6, 5, 6, 5, 6, 6, 6,
    5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13,
]


def _codes():
    """{(length, code): character}; the code is canonical, so the lengths say all."""
    found, code, before = {}, 0, 0
    for length, character in sorted(zip(LENGTHS, CHARACTERS)):
        code <<= length - before
        found[length, code] = chr(character)
        code, before = code + 1, length
    return found


_CODES = _codes()


def decode(block):
    """The fields of a header block, in order."""
    fields, at = [], 0
    while at < len(block):
        first = block[at]
        if first & 0x80:
            index, at = _integer(block, at, 7)
            fields.append(STATIC[index - 1])
        elif first & 0xE0 == 0x20:  # the size of the dynamic table
            _, at = _integer(block, at, 5)
        else:
            index, at = _integer(block, at, 6 if first & 0x40 else 4)
            name, at = (STATIC[index - 1][0], at) if index else _string(block, at)
            value, at = _string(block, at)
            fields.append((name, value))
    return fields


def _integer(block, at, bits):
    limit = (1 << bits) - 1
    value, at, shift = block[at] & limit, at + 1, 0
    if value < limit:
        return value, at
    while True:
        value += (block[at] & 0x7F) << shift
        shift, at = shift + 7, at + 1
        if not block[at - 1] & 0x80:
            return value, at


def _string(block, at):
    is_coded = block[at] & 0x80
    length, at = _integer(block, at, 7)
    data = block[at:at + length]
    return _uncoded(data) if is_coded else data.decode(), at + length


def _uncoded(data):
    text, code, length = "", 0, 0
    for byte in data:
        for bit in range(7, -1, -1):
            code, length = code << 1 | byte >> bit & 1, length + 1
            if (length, code) in _CODES:
                text, code, length = text + _CODES[length, code], 0, 0
    if length > 7 or code != (1 << length) - 1:
        raise ValueError(f"not what HPACK codes strings in: {data.hex()}")
    return text
