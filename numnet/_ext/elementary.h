/* Elementary functions of a real, without a branch, so that loops become vector code. First exp(x) and exp(x) - 1, for x
 * up to 40: nobody here asks for more than 0, and above 40 they are any number.
 *
 *     n = round(x / ln 2)     r = x - n ln 2, |r| <= ln(2) / 2     exp(x) = 2^n (1 + m)     m = exp(r) - 1
 *
 * m is the Taylor series of exp(r) - 1, cut where the next term is below half a unit in the last place; its even and odd
 * powers are summed side by side, since an addition waits for the one before. Arguments are clamped where exp is 0 already;
 * a comparison is false for NaN, which passes. n is rounded, and made an exponent, by adding a number so large that the
 * integers are the mantissa's low bits. */
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

/* m = exp(r) - 1, and 2^n raised, times 2^100 (2^64 for float): so it is a normal number where 2^n is subnormal. */
#define LOWERED (REAL_BITS == 64 ? (real)0x1p-100 : (real)0x1p-64)
INLINE real NAME(reduce)(real x, real *raised) {
#if REAL_BITS == 64
    enum { MANTISSA = 52 };
    const real shift = 0x1.8p52 + 1023 + 100, per_ln2 = 0x1.71547652b82fep0;
    const real ln2_high = 0x1.62e42fee00000p-1, ln2_low = 0x1.a39ef35793c76p-33;
#else
    enum { MANTISSA = 23 };
    const real shift = 0x1.8p23f + 127 + 64, per_ln2 = 0x1.715476p0f;
    const real ln2_high = 0x1.63p-1f, ln2_low = -0x1.bd0106p-13f;
#endif
    const real shifted = x * per_ln2 + shift; /* the low bits of its mantissa hold the exponent of 2^n raised */
    const real n = shifted - shift;
    const real r = (x - n * ln2_high) - n * ln2_low;
    *raised = NAME(from_bits)(NAME(to_bits)(shifted) << MANTISSA);
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

INLINE real NAME(exp)(real x) {
    real raised;
    const real m = NAME(reduce)(NAME(at_least)(x, REAL_BITS == 64 ? -746 : -104), &raised);
    return (1 + m) * raised * LOWERED;
}

/* exp(x) - 1, with small relative error near 0 too. */
INLINE real NAME(expm1)(real x) {
    real raised;
    const real m = NAME(reduce)(NAME(at_least)(x, -50), &raised), power = raised * LOWERED;
    return power * m + (power - 1);
}

INLINE real NAME(absolute)(real x) { return REAL_BITS == 64 ? (real)fabs(x) : (real)fabsf((float)x); }
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

/* 1 / (1 + exp(-x)), and what it lacks to 1, from e = exp(-|x|): each has a small relative error, and nothing overflows. */
INLINE real NAME(exp_of_minus)(real x) { return NAME(exp)(-NAME(absolute)(x)); }

INLINE real NAME(logistic)(real x, real e, real *rest) {
    const real r = 1 / (1 + e);
    *rest = x < 0 ? r : e * r;
    return x < 0 ? e * r : r;
}

INLINE real NAME(logistic_from)(real x, real e) {
    real rest;
    return NAME(logistic)(x, e, &rest);
}

INLINE real NAME(logistic_of)(real x) { return NAME(logistic_from)(x, NAME(exp_of_minus)(x)); }

/* tanh |x| = -e / (e + 2) with e = exp(-2|x|) - 1: no cancellation near 0, no overflow far from it. */
INLINE real NAME(tanh_of)(real x) {
    const real e = NAME(expm1)(-2 * NAME(absolute)(x));
    return NAME(copysign)(-e / (e + 2), x);
}

/* The normal distribution: the probability P(x) of a number below x, and sqrt(2 pi) times its density, exp(-x^2 / 2). Both
 * are made from e, and e is the exponential of an exponent. For t = |x|:
 *
 *     e = exp(-t^2 / 2)     P(-t) = e r p(s)     r = 1 / (t + 5.5)             for double
 *     e = P(-t)             log P(-t) = t p(t - 5) - log 2                     for float
 *
 * For double s = 1 at t = 0, -1 at t = 40, and p interpolates exp(t^2 / 2) P(-t) (t + 5.5) at Chebyshev's points; its
 * relative error is 9e-18. Idea: Shepherd and Laframboise, 1981. For float p is of degree 14, and the largest error of
 * log P(-t), relative to that or to 1 if that is more, is as small as can be: 3e-8. There is nothing to divide by, which
 * takes a third of the time off. Beyond t = 14.25 P(-t) is 0. Both are wrong by up to 4 + t^2 units in the last place,
 * since the exponent is a rounded number. */
#if REAL_BITS == 64
INLINE real NAME(normal_exponent)(real x) { return x * x * -0.5; }

INLINE real NAME(density)(real x, real e) {
    (void)x;
    return e;
}

INLINE real NAME(normal)(real x, real e) {
    const real distance = NAME(absolute)(x), t = distance > 40 ? 40 : distance;
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
    const real tail = (high * power + low) * r * e;
    return x < 0 ? tail : 1 - tail;
}
#else
INLINE real NAME(normal_exponent)(real x) {
    const real distance = NAME(absolute)(x), t = distance > 14.25f ? 14.25f : distance, s = t - 5, q = s * s;
    real even = 4.338207565e-15f, odd = -1.676621895e-13f;
    even = even * q + 2.437520021e-12f;
    odd = odd * q - 1.455173568e-11f;
    even = even * q - 1.320034468e-12f;
    odd = odd * q + 5.216995724e-10f;
    even = even * q - 4.820107868e-09f;
    odd = odd * q + 5.305324180e-08f;
    even = even * q - 6.097686764e-07f;
    odd = odd * q + 6.053832294e-06f;
    even = even * q - 5.528927795e-05f;
    odd = odd * q + 4.880156193e-04f;
    even = even * q - 4.244868644e-03f;
    odd = odd * q - 4.624266028e-01f;
    even = even * q - 2.874370337e+00f;
    return (odd * s + even) * t - 0.69314718f;
}

INLINE real NAME(density)(real x, real e) {
    (void)e;
    return NAME(exp)(x * x * -0.5f);
}

INLINE real NAME(normal)(real x, real e) {
    return x < 0 ? e : 1 - e;
}
#endif
