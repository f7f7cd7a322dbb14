/* Sums, elementwise activations, losses of pairs of numbers, and their backwards: formulas for one number, and at the end the
 * kernels made of them.
 *
 * A kernel does BLOCK numbers, and NAME(in_blocks) runs it over an array. What is left over at the end goes through the
 * same code, in a padded block: so the bits of a number do not depend on where in an array it stands. */

/* GELU: x P(x), P the normal distribution; its slope is P(x) + x P'(x), 0 up to -40 and 1 from 40 on. */
INLINE real NAME(gelu_slope)(real x, real e) {
    const real per_root = (real)0.39894228040143267794; /* 1 / sqrt(2 pi) */
    return NAME(normal)(x, e) + NAME(clamp)(x, -40, 40) * NAME(density)(x, e) * per_root;
}

/* GELU as GPT-2 has it: x g with g = logistic(2 u), 2 u = 2 sqrt(2 / pi) (x + 0.044715 x^3), which has the sign of x. */
#define TWICE_ROOT (real)1.5957691216057307117 /* 2 sqrt(2 / pi) */
INLINE real NAME(gelu_tanh_exp)(real x) {
    const real b = NAME(clamp)(x, -40, 40);
    return NAME(exp_of_minus)(b * (TWICE_ROOT + TWICE_ROOT * (real)0.044715 * (b * b)));
}

INLINE real NAME(gelu_tanh_slope)(real x, real e) {
    const real b = NAME(clamp)(x, -40, 40), square = b * b;
    real rest;
    const real g = NAME(logistic)(x, e, &rest);
    return g + b * g * rest * (TWICE_ROOT + TWICE_ROOT * (real)(3 * 0.044715) * square);
}

INLINE real NAME(silu_slope)(real x, real e) {
    real rest;
    const real s = NAME(logistic)(x, e, &rest);
    return s * (1 + x * rest);
}

/* Mish, from e = exp(-|x|): x t, t = tanh(log(1 + exp(x))) = ((1 + exp(x))^2 - 1) / ((1 + exp(x))^2 + 1) = n / (n + d); for
 * x > 0 both over exp(2x). */
INLINE real NAME(mish_of)(real x, real e) {
    const real n = 2 * e + (x < 0 ? e * e : 1), d = x < 0 ? 2 : 2 * e * e;
    return x * (n / (n + d));
}

/* t + x s (1 - t^2), s the logistic function; 1 - t^2 = d (2 n + d) / (n + d)^2. */
INLINE real NAME(mish_slope)(real x, real e) {
    const real n = 2 * e + (x < 0 ? e * e : 1), d = x < 0 ? 2 : 2 * e * e;
    const real s = (x < 0 ? e : 1) / (1 + e), per_sum = 1 / (n + d);
    return n * per_sum + x * s * (d * per_sum) * ((2 * n + d) * per_sum);
}

/* log(1 + exp(beta x)) / beta, from e = exp(-|beta x|), and x where beta x is above a threshold. */
INLINE real NAME(softplus_of)(real x, real e, real beta, real threshold) {
    const real z = beta * x, soft = NAME(log_of_1_plus)(e);
    return z > threshold ? x : ((z > 0 ? z : 0) + soft) / beta;
}

/* scale x, and below 0 scale limit (exp(x / width) - 1), for a width above 0. */
INLINE real NAME(elu_of)(real x, real scale, real limit, real width) {
    const real bent = NAME(copysign)(NAME(expm1)(x / width), x);
    return scale * (x > 0 ? x : limit * bent);
}

INLINE real NAME(elu_slope)(real x, real scale, real limit, real width) {
    return scale * (x > 0 ? 1 : limit / width * NAME(exp)(x / width));
}

/* x^2 / 2 up to a width, and straight from there. */
INLINE real NAME(huber_of)(real x, real width) {
    const real distance = x < 0 ? -x : x, m = distance > width ? width : distance;
    return m * (distance - m / 2);
}

/* log p, no less than -100: a certainty that is wrong costs 100 and not infinity. */
INLINE real NAME(bounded_log)(real p) {
    const real l = NAME(log_of)(p);
    return l < -100 ? -100 : l;
}

/* `result`, of x and up to three options p, q, r; of delta too in a backward, where x may be the activation a; of what x
 * ought to be, y, in a loss. Of a long formula, up to two parts are made before, each for all of a block: `first`,
 * then `second`; e is the last that was made. Why: a processor looks some hundred instructions ahead, and where these wait
 * for one another half of it is idle. */
#define KERNEL(name, result) KERNEL_OF(name, 0, 0, result)
#define KERNEL_OF(name, first, second, result)                                                                         \
    static void NAME(name)(const void *restrict xs_, const void *restrict ys_, const void *restrict deltas_,           \
                           void *restrict results_, const double *options) {                                           \
        const real *xs = xs_, *ys = ys_, *deltas = deltas_;                                                            \
        const real p = (real)options[0], q = (real)options[1], r = (real)options[2];                                   \
        real *results = results_;                                                                                      \
        real parts[BLOCK];                                                                                             \
        (void)p, (void)q, (void)r;                                                                                     \
        for (size i = 0; i < BLOCK; i++) {                                                                             \
            const real x = xs[i];                                                                                      \
            (void)x;                                                                                                   \
            parts[i] = first;                                                                                          \
        }                                                                                                              \
        for (size i = 0; i < BLOCK; i++) {                                                                             \
            const real e = parts[i];                                                                                   \
            (void)e;                                                                                                   \
            parts[i] = second;                                                                                         \
        }                                                                                                              \
        for (size i = 0; i < BLOCK; i++) {                                                                             \
            const real x = xs[i], a = x, y = ys[i], delta = deltas[i], e = parts[i];                                   \
            (void)a, (void)y, (void)delta, (void)e;                                                                    \
            results[i] = result;                                                                                       \
        }                                                                                                              \
    }
KERNEL(add, x + y)
KERNEL(subtract, x - y)
KERNEL(scaled, p * x)
KERNEL(sign, x > 0 ? p : x < 0 ? -p : p * x)
KERNEL(relu, x <= 0 ? 0 : x) /* NaN is not <= 0: it passes */
KERNEL(relu_backward, a <= 0 ? 0 : delta)
KERNEL_OF(sigmoid, NAME(exp_of_minus)(x), e, NAME(logistic_from)(x, e))
KERNEL(sigmoid_backward, delta * a * (1 - a))
KERNEL(tanh, NAME(tanh_of)(x))
KERNEL(tanh_backward, delta * (1 - a * a))
KERNEL_OF(gelu, NAME(normal_exponent)(x), NAME(exp)(e), x * NAME(normal)(x, e))
KERNEL_OF(gelu_backward, NAME(normal_exponent)(x), NAME(exp)(e), delta * NAME(gelu_slope)(x, e))
KERNEL_OF(gelu_tanh, NAME(gelu_tanh_exp)(x), e, x * NAME(logistic_from)(x, e))
KERNEL_OF(gelu_tanh_backward, NAME(gelu_tanh_exp)(x), e, delta * NAME(gelu_tanh_slope)(x, e))
KERNEL_OF(silu, NAME(exp_of_minus)(x), e, x * NAME(logistic_from)(x, e))
KERNEL_OF(silu_backward, NAME(exp_of_minus)(x), e, delta * NAME(silu_slope)(x, e))
KERNEL_OF(mish, NAME(exp_of_minus)(x), e, NAME(mish_of)(x, e))
KERNEL_OF(mish_backward, NAME(exp_of_minus)(x), e, delta * NAME(mish_slope)(x, e))
KERNEL_OF(softplus, NAME(exp_of_minus)(p * x), e, NAME(softplus_of)(x, e, p, q))
KERNEL_OF(softplus_backward, NAME(exp_of_minus)(p * x), e, p * x > q ? delta : delta * NAME(logistic_from)(p * x, e))
KERNEL(elu, NAME(elu_of)(x, p, q, r))
KERNEL(elu_backward, delta * NAME(elu_slope)(x, p, q, r))
KERNEL(leaky_relu, x > 0 ? x : p * x)
KERNEL(leaky_relu_backward, x > 0 ? delta : p * delta)
KERNEL(hardsigmoid, NAME(clamp)(x + 3, 0, 6) / 6)
KERNEL(hardsigmoid_backward, x > -3 && x < 3 ? delta / 6 : 0)
KERNEL(hardswish, x * (NAME(clamp)(x + 3, 0, 6) / 6))
KERNEL(hardswish_backward, x <= -3 ? 0 : x >= 3 ? delta : delta * (x / 3 + (real)0.5))
KERNEL(hardtanh, NAME(clamp)(x, p, q))
KERNEL(hardtanh_backward, p < x && x < q ? delta : 0)
KERNEL(cut_out, p <= x && x <= q ? r : x)
KERNEL(cut_out_backward, p <= x && x <= q ? 0 : delta)
KERNEL(huber, NAME(huber_of)(x, p))
KERNEL(huber_backward, p * NAME(clamp)(x, -q, q))
KERNEL(binary_cross_entropy, -(y * NAME(bounded_log)(x) + (1 - y) * NAME(bounded_log)(1 - x)))
KERNEL(binary_cross_entropy_backward, delta * (x - y) / NAME(at_least)(x * (1 - x), (real)1e-12))
KERNEL_OF(binary_cross_entropy_with_logits, NAME(exp_of_minus)(x), e,
          (1 - y) * x + NAME(softplus_of)(-x, e, 1, INFINITY))
KERNEL_OF(binary_cross_entropy_with_logits_backward, NAME(exp_of_minus)(x), e,
          delta * ((1 - y) - NAME(logistic_from)(-x, e)))
#undef KERNEL
#undef KERNEL_OF
#undef TWICE_ROOT

static int NAME(in_blocks)(const void *job_, size begin, size end) {
    const struct elementwise_job *job = job_;
    const real *x = job->x, *y = job->y, *delta = job->delta;
    real *result = job->result;
    size i = begin;
    for (; i + BLOCK <= end; i += BLOCK) job->kernel(x + i, y + i, delta + i, result + i, job->options);
    if (i < end) {
        const size_t bytes = (size_t)(end - i) * sizeof(real);
        real xs[BLOCK] = {0}, ys[BLOCK] = {0}, deltas[BLOCK] = {0}, results[BLOCK];
        memcpy(xs, x + i, bytes);
        memcpy(ys, y + i, bytes);
        memcpy(deltas, delta + i, bytes);
        job->kernel(xs, ys, deltas, results, job->options);
        memcpy(result + i, results, bytes);
    }
    return 0;
}
