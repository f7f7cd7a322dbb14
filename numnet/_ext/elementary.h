/* Elementary functions of a real. First exp(x) and exp(x) - 1, without a branch, so that loops become vector code.
 *
 *     n = round(x / ln 2)     r = x - n ln 2, |r| <= ln(2) / 2     exp(x) = 2^n (1 + m)     m = exp(r) - 1
 *
 * m is the Taylor series of exp(r) - 1, cut where the next term is below half a unit in the last place. Arguments are
 * clamped just outside the range in which exp is neither 0 nor inf; both comparisons are false for NaN, which passes.
 * n is rounded, and made an exponent, by adding a number so large that the integers are the mantissa's low bits. */
#if REAL_BITS == 64
typedef uint64_t NAME(bits);
#else
typedef uint32_t NAME(bits);
#endif

INLINE real NAME(from_bits)(NAME(bits) bits) {
    real x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

INLINE NAME(bits) NAME(to_bits)(real x) {
    NAME(bits) bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

INLINE real NAME(clamp)(real x, real low, real high) {
    x = x < low ? low : x;
    return x > high ? high : x;
}

/* m = exp(r) - 1, and 2^n in two factors: each is a normal number where 2^n itself overflows or is subnormal. */
INLINE real NAME(reduce)(real x, real *first, real *second) {
#if REAL_BITS == 64
    enum { MANTISSA = 52, BIAS = 1023 };
    const real shift = 0x1.8p52, per_ln2 = 0x1.71547652b82fep0;
    const real ln2_high = 0x1.62e42fee00000p-1, ln2_low = 0x1.a39ef35793c76p-33;
#else
    enum { MANTISSA = 23, BIAS = 127 };
    const real shift = 0x1.8p23f, per_ln2 = 0x1.715476p0f;
    const real ln2_high = 0x1.63p-1f, ln2_low = -0x1.bd0106p-13f;
#endif
    const real shifted = x * per_ln2 + shift; /* the low bits of its mantissa hold n */
    const real n = shifted - shift;
    const real r = (x - n * ln2_high) - n * ln2_low;
    const NAME(bits) exponent = NAME(to_bits)(shifted) - NAME(to_bits)(shift) + 2 * BIAS;
    const NAME(bits) half = exponent >> 1;
    *first = NAME(from_bits)(half << MANTISSA);
    *second = NAME(from_bits)((exponent - half) << MANTISSA);
#if REAL_BITS == 64
    real series = 1.0 / 6227020800.0;
    series = series * r + 1.0 / 479001600.0;
    series = series * r + 1.0 / 39916800.0;
    series = series * r + 1.0 / 3628800.0;
    series = series * r + 1.0 / 362880.0;
    series = series * r + 1.0 / 40320.0;
    series = series * r + 1.0 / 5040.0;
#else
    real series = 1.0f / 5040.0f;
#endif
    series = series * r + (real)(1.0 / 720.0);
    series = series * r + (real)(1.0 / 120.0);
    series = series * r + (real)(1.0 / 24.0);
    series = series * r + (real)(1.0 / 6.0);
    series = series * r + (real)0.5;
    return series * (r * r) + r;
}

INLINE real NAME(exp)(real x) {
    real first, second;
    x = REAL_BITS == 64 ? NAME(clamp)(x, -746, 710) : NAME(clamp)(x, -104, 89);
    const real m = NAME(reduce)(x, &first, &second);
    return (1 + m) * first * second;
}

/* exp(x) - 1 for x <= 0, with small relative error near 0 too. */
INLINE real NAME(expm1_of_negative)(real x) {
    real first, second;
    const real m = NAME(reduce)(NAME(clamp)(x, -50, 0), &first, &second);
    const real power = first * second;
    return power * m + (power - 1);
}

INLINE real NAME(log)(real x) { return REAL_BITS == 64 ? (real)log(x) : (real)logf((float)x); }
INLINE real NAME(sqrt)(real x) { return REAL_BITS == 64 ? (real)sqrt(x) : (real)sqrtf((float)x); }
INLINE real NAME(copysign)(real x, real sign) {
    return REAL_BITS == 64 ? (real)copysign(x, sign) : (real)copysignf((float)x, (float)sign);
}
