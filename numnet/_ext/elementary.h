/* Elementary functions of a real, without a branch, so that loops become vector code. First exp(x) and exp(x) - 1.
 *
 *     n = round(x / ln 2)     r = x - n ln 2, |r| <= ln(2) / 2     exp(x) = 2^n (1 + m)     m = exp(r) - 1
 *
 * m is the Taylor series of exp(r) - 1, cut where the next term is below half a unit in the last place; its even and odd
 * powers are summed side by side, since an addition waits for the one before. Arguments are clamped just outside the
 * range in which exp is neither 0 nor inf, those that are never above 0 at one end only; a comparison is false for NaN,
 * which passes. n is rounded, and made an exponent, by adding a number so large that the integers are the mantissa's low
 * bits. */
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

INLINE real NAME(at_least)(real x, real low) { return x < low ? low : x; }

INLINE real NAME(clamp)(real x, real low, real high) {
    x = NAME(at_least)(x, low);
    return x > high ? high : x;
}

/* For exp(x + low), with low far smaller than x: m = exp(r) - 1, and 2^n in two factors: each is a normal number where 2^n
 * itself overflows or is subnormal. */
INLINE real NAME(reduce)(real x, real low, real *first, real *second) {
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
    const real r = (x - n * ln2_high) - n * ln2_low + low;
    const NAME(bits) exponent = NAME(to_bits)(shifted) - NAME(to_bits)(shift) + 2 * BIAS;
    const NAME(bits) half = exponent >> 1;
    *first = NAME(from_bits)(half << MANTISSA);
    *second = NAME(from_bits)((exponent - half) << MANTISSA);
    const real q = r * r;
#if REAL_BITS == 64
    real odd = 1.0 / 6227020800.0, even = 1.0 / 479001600.0;
    odd = odd * q + 1.0 / 39916800.0;
    even = even * q + 1.0 / 3628800.0;
    odd = odd * q + 1.0 / 362880.0;
    even = even * q + 1.0 / 40320.0;
    odd = odd * q + 1.0 / 5040.0;
    even = even * q + 1.0 / 720.0;
    odd = odd * q + 1.0 / 120.0;
#else
    real odd = 1.0f / 5040.0f, even = 1.0f / 720.0f;
    odd = odd * q + 1.0f / 120.0f;
#endif
    even = even * q + (real)(1.0 / 24.0);
    odd = odd * q + (real)(1.0 / 6.0);
    even = even * q + (real)0.5;
    return (odd * r + even) * q + r;
}

/* exp(x + low), for -1000 < x < 700 (-150, 80 for float). */
INLINE real NAME(exp_of_sum)(real x, real low) {
    real first, second;
    const real m = NAME(reduce)(x, low, &first, &second);
    return (1 + m) * first * second;
}

INLINE real NAME(exp)(real x) {
    x = REAL_BITS == 64 ? NAME(clamp)(x, -746, 710) : NAME(clamp)(x, -104, 89);
    return NAME(exp_of_sum)(x, -(real)0); /* adding -0 is free, adding 0 is not */
}

INLINE real NAME(exp_of_negative)(real x) {
    return NAME(exp_of_sum)(NAME(at_least)(x, REAL_BITS == 64 ? -746 : -104), -(real)0);
}

/* exp(x) - 1 for x <= 0, with small relative error near 0 too. Above 0 it is any number. */
INLINE real NAME(expm1_of_negative)(real x) {
    real first, second;
    const real m = NAME(reduce)(NAME(at_least)(x, -50), -(real)0, &first, &second);
    const real power = first * second;
    return power * m + (power - 1);
}

INLINE real NAME(absolute)(real x) { return REAL_BITS == 64 ? (real)fabs(x) : (real)fabsf((float)x); }
INLINE real NAME(log)(real x) { return REAL_BITS == 64 ? (real)log(x) : (real)logf((float)x); }
INLINE real NAME(sqrt)(real x) { return REAL_BITS == 64 ? (real)sqrt(x) : (real)sqrtf((float)x); }
INLINE real NAME(copysign)(real x, real sign) {
    return REAL_BITS == 64 ? (real)copysign(x, sign) : (real)copysignf((float)x, (float)sign);
}

/* log(1 + e) for -1/2 <= e <= 1: 2 artanh(s) = 2 (s + s^3/3 + s^5/5 + ...) with s = e / (2 + e), |s| <= 1/3. */
INLINE real NAME(log_of_1_plus)(real e) {
    const real s = e / (2 + e), q = s * s;
#if REAL_BITS == 64
    real series = 1.0 / 33.0;
    series = series * q + 1.0 / 31.0;
    series = series * q + 1.0 / 29.0;
    series = series * q + 1.0 / 27.0;
    series = series * q + 1.0 / 25.0;
    series = series * q + 1.0 / 23.0;
    series = series * q + 1.0 / 21.0;
    series = series * q + 1.0 / 19.0;
    series = series * q + 1.0 / 17.0;
    series = series * q + 1.0 / 15.0;
#else
    real series = 1.0f / 15.0f;
#endif
    series = series * q + (real)(1.0 / 13.0);
    series = series * q + (real)(1.0 / 11.0);
    series = series * q + (real)(1.0 / 9.0);
    series = series * q + (real)(1.0 / 7.0);
    series = series * q + (real)(1.0 / 5.0);
    series = series * q + (real)(1.0 / 3.0);
    return 2 * (series * (q * s) + s);
}

/* log x = n ln 2 + log m, m from sqrt(1/2) to sqrt(2); -inf at 0, NaN below. What is subnormal is made normal first. */
INLINE real NAME(log_of)(real x) {
#if REAL_BITS == 64
    enum { MANTISSA = 52, BIAS = 1023, SUBNORMAL = 54 };
    const real shift = 0x1.8p52, smallest = 0x1p-1022, root_half = 0x1.6a09e667f3bcdp-1, made_normal = 0x1p54;
    const real ln2_high = 0x1.62e42fee00000p-1, ln2_low = 0x1.a39ef35793c76p-33;
#else
    enum { MANTISSA = 23, BIAS = 127, SUBNORMAL = 25 };
    const real shift = 0x1.8p23f, smallest = 0x1p-126f, root_half = 0x1.6a09e6p-1f, made_normal = 0x1p25f;
    const real ln2_high = 0x1.63p-1f, ln2_low = -0x1.bd0106p-13f;
#endif
    const NAME(bits) one = (NAME(bits))BIAS << MANTISSA, fraction = ((NAME(bits))1 << MANTISSA) - 1;
    const real normal = x < smallest ? x * made_normal : x;
    const NAME(bits) low = NAME(to_bits)(root_half), bits = NAME(to_bits)(normal) + (one - low);
    const real m = NAME(from_bits)((bits & fraction) + low);
    const real exponent = NAME(from_bits)(NAME(to_bits)(shift) + (bits >> MANTISSA)) - (shift + BIAS);
    const real n = exponent - (x < smallest ? SUBNORMAL : 0);
    const real finite = n * ln2_high + (n * ln2_low + NAME(log_of_1_plus)(m - 1));
    const real otherwise = x == 0 ? -(real)INFINITY : x > 0 ? x : (real)NAN;
    return x > 0 && x < INFINITY ? finite : otherwise;
}

/* 1 / (1 + exp(-x)), and what it lacks to 1: each has a small relative error, and neither exponential overflows. */
INLINE real NAME(logistic)(real x, real *rest) {
    const real e = NAME(exp_of_negative)(-NAME(absolute)(x)), r = 1 / (1 + e);
    *rest = x < 0 ? r : e * r;
    return x < 0 ? e * r : r;
}

INLINE real NAME(logistic_of)(real x) {
    real rest;
    return NAME(logistic)(x, &rest);
}

/* tanh |x| = -e / (e + 2) with e = exp(-2|x|) - 1: no cancellation near 0, no overflow far from it. */
INLINE real NAME(tanh_of)(real x) {
    const real e = NAME(expm1_of_negative)(-2 * NAME(absolute)(x));
    return NAME(copysign)(-e / (e + 2), x);
}

/* The normal distribution: the probability P(x) of a number below x, and sqrt(2 pi) times its density, exp(-x^2 / 2).
 *
 *     P(-t) = exp(-t^2 / 2) r p(s)     r = 1 / (t + K)     t >= 0     s = 1 at t = 0, -1 at t = 15 (40 for double)
 *
 * p interpolates exp(t^2 / 2) P(-t) (t + K) at Chebyshev's points; its relative error is 1.3e-8 (9e-18). Its high and
 * low powers are summed side by side. Farther out the exponential is 0. h has half of t's bits, so that h^2 is exact: the
 * exponential of a rounded square is wrong by as many units in the last place as t^2 is large.
 * Idea: Shepherd and Laframboise, 1981. */
INLINE real NAME(normal)(real x, real *density) {
    const real distance = NAME(absolute)(x), end = REAL_BITS == 64 ? 40 : 15, t = distance > end ? end : distance;
    const NAME(bits) low_half = REAL_BITS == 64 ? 0x7ffffff : 0xfff;
    const real h = NAME(from_bits)(NAME(to_bits)(t) & ~low_half);
    const real e = *density = NAME(exp_of_sum)(h * h * (real)-0.5, (t - h) * (t + h) * (real)-0.5);
#if REAL_BITS == 64
    const real r = 1 / (t + 5.5), s = 1 - 2.275 * (t * r), s4 = (s * s) * (s * s), power = s4 * s4 * s4;
    real high = 1.7437772449797185e-10;
    high = high * s + 6.7019967210220087e-11;
    high = high * s - 2.4913729854709762e-09;
    high = high * s - 1.1815298847884320e-09;
    high = high * s + 2.4812405168329555e-08;
    high = high * s + 2.1087141460311903e-08;
    high = high * s - 2.3128729470897029e-07;
    high = high * s - 4.0760912156438983e-07;
    high = high * s + 1.9543749760547494e-06;
    high = high * s + 7.3927904457918654e-06;
    real low = -8.2654233279923924e-06;
    low = low * s - 1.0964322363757515e-04;
    low = low * s - 2.2302802180903627e-04;
    low = low * s + 6.8414611597873351e-04;
    low = low * s + 6.5219210363857173e-03;
    low = low * s + 2.6692755254304038e-02;
    low = low * s + 7.7145650263223661e-02;
    low = low * s + 1.7617855759732559e-01;
    low = low * s + 3.3300583416342466e-01;
    low = low * s + 5.3318624570507200e-01;
    low = low * s + 7.3179926686515695e-01;
    low = low * s + 8.6511780893085621e-01;
#else
    const real r = 1 / (t + 4), s = 1 - 2.53333333f * (t * r), power = (s * s) * (s * s);
    real high = 1.495838290e-05f;
    high = high * s + 6.442048342e-05f;
    high = high * s - 2.003651541e-04f;
    high = high * s - 1.330944934e-03f;
    high = high * s + 5.364845172e-04f;
    high = high * s + 2.544736308e-02f;
    real low = 1.180770388e-01f;
    low = low * s + 3.250906829e-01f;
    low = low * s + 6.300167401e-01f;
    low = low * s + 9.022836328e-01f;
#endif
    const real tail = (high * power + low) * r * e;
    return x < 0 ? tail : 1 - tail;
}
