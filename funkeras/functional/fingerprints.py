"""Hashes of bytes as TensorFlow has them: places in tables of Keras depend on their every bit.

`farm_hash` is FarmHash's Fingerprint64 (Pike and Alakuijala, Google, 2014; `farmhashna`),
`sip_hash` is SipHash-2-4 (Aumasson and Bernstein 2012, https://eprint.iacr.org/2012/351).
"""

from collections.abc import Iterable, Sequence

__all__ = ["crossed", "farm_hash", "sip_hash"]

ALL = (1 << 64) - 1
"""Sums and products are of 64 bits."""
K0, K1, K2 = 0xC3A5C85C97CB3127, 0xB492B66FBE98F273, 0x9AE16A3B2F90404F
CROSS_MULTIPLIER, CROSS_KEY = 0xC6A4A7935BD1E995, 0xDECAFCAFFE
SIP_START = (0x736F6D6570736575, 0x646F72616E646F6D, 0x6C7967656E657261, 0x7465646279746573)


def _word(data: bytes, start: int, size: int = 8) -> int:
    return int.from_bytes(data[start : start + size], "little")


def _right(x: int, count: int) -> int:
    x &= ALL
    return (x >> count | x << 64 - count) & ALL


def _mixed(x: int) -> int:
    x &= ALL
    return x ^ x >> 47


def _of_two(x: int, y: int, factor: int) -> int:
    a = _mixed((x ^ y) * factor)
    return _mixed(((y & ALL) ^ a) * factor) * factor & ALL


def _of_four_words(data: bytes, start: int, x: int, y: int) -> tuple[int, int]:
    first, second, third, last = (_word(data, start + step) for step in (0, 8, 16, 24))
    x += first
    y = _right(y + x + last, 21)
    whole = x + second + third
    return whole + last & ALL, y + _right(whole, 44) + x & ALL


def farm_hash(data: bytes) -> int:
    """The 64-bit fingerprint of some bytes.

    >>> hex(farm_hash(b""))
    '0x9ae16a3b2f90404f'
    """
    size = len(data)
    if size > 64:
        return _of_many(data)
    factor = K2 + 2 * size
    if size > 16:
        scale = K2 if size > 32 else K1
        a, b = _word(data, 0) * scale, _word(data, 8)
        c, d = _word(data, size - 8) * factor, _word(data, size - 16) * K2
        y = _right(a + b, 43) + _right(c, 30) + d
        z = a + _right(b + K2, 18) + c
        if size <= 32:
            return _of_two(y, z, factor)
        z = _of_two(y, z, factor)
        e, f = _word(data, 16) * factor, _word(data, 24)
        g, h = (y + _word(data, size - 32)) * factor, (z + _word(data, size - 24)) * factor
        y = _right(e + f, 43) + _right(g, 30) + h
        return _of_two(y, e + _right(f + a, 18) + g, factor)
    if size >= 8:
        a, b = _word(data, 0) + K2, _word(data, size - 8)
        return _of_two(_right(b, 37) * factor + a, (_right(a, 25) + b) * factor, factor)
    if size >= 4:
        return _of_two(size + (_word(data, 0, 4) << 3), _word(data, size - 4, 4), factor)
    if not size:
        return K2
    y, z = data[0] + (data[size >> 1] << 8), size + (data[-1] << 2)
    return _mixed(y * K2 ^ z * K0) * K2 & ALL


def _of_many(data: bytes) -> int:
    """More than 64 bytes: blocks of 64, of which the last may overlap."""
    y = 81 * K1 + 113
    z = _mixed(y * K2 + 113) * K2
    v = w = (0, 0)
    x = 81 * K2 + _word(data, 0)
    rest = (len(data) - 1) % 64

    def block(start: int, factor: int, nine: int) -> None:
        nonlocal x, y, z, v, w
        x = _right(x + y + v[0] + _word(data, start + 8), 37) * factor
        y = _right(y + v[1] + _word(data, start + 48), 42) * factor
        x ^= w[1] * nine
        y += v[0] * nine + _word(data, start + 40)
        z = _right(z + w[0], 33) * factor
        v = _of_four_words(data, start, v[1] * factor, x + w[0])
        w = _of_four_words(data, start + 32, z + w[1], y + _word(data, start + 16))
        x, z = z & ALL, x & ALL

    for start in range(0, len(data) - 1 - rest, 64):
        block(start, K1, 1)
    factor = K1 + ((z & 0xFF) << 1)
    w = (w[0] + rest, w[1])
    v = (v[0] + w[0], v[1])
    w = (w[0] + v[0], w[1])
    block(len(data) - 64, factor, 9)
    first = _of_two(v[0], w[0], factor) + _mixed(y) * K0 + z
    return _of_two(first, _of_two(v[1], w[1], factor) + x, factor)


def sip_hash(data: bytes, key: Sequence[int]) -> int:
    """The 64-bit hash of some bytes under a key of two numbers.

    >>> paper = bytes(range(15)), (0x0706050403020100, 0x0F0E0D0C0B0A0908)
    >>> hex(sip_hash(*paper))
    '0xa129ca6149be45e5'
    """
    a, b, c, d = (start ^ key[i % 2] & ALL for i, start in enumerate(SIP_START))

    def rounds(count: int) -> None:
        nonlocal a, b, c, d
        for _ in range(count):
            a, c = a + b & ALL, c + d & ALL
            b, d = _right(b, 51) ^ a, _right(d, 48) ^ c
            a, c = _right(a, 32) + d & ALL, c + b & ALL
            b, d = _right(b, 47) ^ c, _right(d, 43) ^ a
            c = _right(c, 32)

    padded = data + bytes(-(len(data) + 1) % 8) + bytes([len(data) % 256])
    for start in range(0, len(padded), 8):
        word = _word(padded, start)
        d ^= word
        rounds(2)
        a ^= word
    c ^= 0xFF
    rounds(4)
    return a ^ b ^ c ^ d


def crossed(hashes: Iterable[int]) -> int:
    """One hash for several, in that order, as TensorFlow's `cross_hashed`."""
    result = CROSS_KEY
    for value in hashes:
        result ^= CROSS_MULTIPLIER
        result ^= _mixed(value * CROSS_MULTIPLIER) * CROSS_MULTIPLIER & ALL
        result = _mixed(_mixed(result * CROSS_MULTIPLIER) * CROSS_MULTIPLIER)
    return result
