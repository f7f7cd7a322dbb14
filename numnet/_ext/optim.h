/* The formulas are those of numnet/kernels/reference/optimizer*.py, element by element. */
INLINE real NAME(descent)(real sign, real g, real decay, real p) {
    return decay != 0 ? sign * g + decay * p : sign * g; /* 0 p would be NaN where p is infinite */
}

/* b = momentum b + (1 - dampening) d;  p -= lr (nesterov ? d + momentum b : b) */
static int NAME(sgd_step)(const void *job_, size begin, size end) {
    const struct step_job *job = job_;
    const real sign = (real)job->sign, decay = (real)job->decay, lr = (real)job->lr;
    const real momentum = (real)job->momentum, rest = (real)job->rest1;
    const int begins = job->begins, nesterov = job->nesterov;
    const real *restrict g = job->g;
    real *restrict p = job->p, *restrict b = job->first;
    if (!b) {
        for (size i = begin; i < end; i++) p[i] -= lr * NAME(descent)(sign, g[i], decay, p[i]);
        return 0;
    }
    for (size i = begin; i < end; i++) {
        const real d = NAME(descent)(sign, g[i], decay, p[i]);
        const real b_new = begins ? d : momentum * b[i] + rest * d;
        b[i] = b_new;
        p[i] -= lr * (nesterov ? d + momentum * b_new : b_new);
    }
    return 0;
}

/* p = shrink p - eta d;  average += mu (p - average), with eta in lr, mu in rest1, and begins where mu is 1 */
static int NAME(asgd_step)(const void *job_, size begin, size end) {
    const struct step_job *job = job_;
    const real sign = (real)job->sign, decay = (real)job->decay, shrink = (real)job->shrink;
    const real eta = (real)job->lr, mu = (real)job->rest1;
    const int begins = job->begins;
    const real *restrict g = job->g;
    real *restrict p = job->p, *restrict average = job->first;
    for (size i = begin; i < end; i++) {
        const real p_new = p[i] * shrink - eta * NAME(descent)(sign, g[i], decay, p[i]);
        p[i] = p_new;
        average[i] = begins ? p_new : average[i] + mu * (p_new - average[i]);
    }
    return 0;
}

/* The size of each step grows where the gradient keeps its sign and shrinks where it turns; only its sign counts. */
static int NAME(rprop_step)(const void *job_, size begin, size end) {
    const struct step_job *job = job_;
    const real sign = (real)job->sign, minus = (real)job->minus, plus = (real)job->plus;
    const real smallest = (real)job->smallest, largest = (real)job->largest;
    const real *restrict g = job->g;
    real *restrict p = job->p, *restrict before = job->first, *restrict length = job->second;
    for (size i = begin; i < end; i++) {
        const real d = sign * g[i], same = d * before[i];
        const real kept = same < 0 ? 0 : d;
        const real wanted = length[i] * (same > 0 ? plus : same < 0 ? minus : 1);
        const real allowed = NAME(clamp)(wanted, smallest, largest);
        length[i] = allowed;
        before[i] = kept;
        p[i] -= (kept > 0 ? 1 : kept < 0 ? -1 : kept) * allowed; /* kept is 0 or NaN in the end */
    }
    return 0;
}

/* total += d^2;  p -= lr d / (sqrt(total) + eps) */
static int NAME(adagrad_step)(const void *job_, size begin, size end) {
    const struct step_job *job = job_;
    const real sign = (real)job->sign, decay = (real)job->decay, lr = (real)job->lr, eps = (real)job->eps;
    const real *restrict g = job->g;
    real *restrict p = job->p, *restrict total = job->first;
    for (size i = begin; i < end; i++) {
        const real d = NAME(descent)(sign, g[i], decay, p[i]);
        const real sum = total[i] + d * d;
        total[i] = sum;
        p[i] -= lr * d / (NAME(sqrt)(sum) + eps);
    }
    return 0;
}

/* v = rho v + (1 - rho) d^2;  s = sqrt(u + eps) / sqrt(v + eps) d;  u = rho u + (1 - rho) s^2;  p -= lr s */
static int NAME(adadelta_step)(const void *job_, size begin, size end) {
    const struct step_job *job = job_;
    const real sign = (real)job->sign, decay = (real)job->decay, lr = (real)job->lr, eps = (real)job->eps;
    const real keep = (real)job->keep2, rest = (real)job->rest2;
    const real *restrict g = job->g;
    real *restrict p = job->p, *restrict v = job->first, *restrict u = job->second;
    for (size i = begin; i < end; i++) {
        const real d = NAME(descent)(sign, g[i], decay, p[i]);
        const real v_new = keep * v[i] + rest * d * d;
        const real s = NAME(sqrt)(u[i] + eps) / NAME(sqrt)(v_new + eps) * d;
        v[i] = v_new;
        u[i] = keep * u[i] + rest * s * s;
        p[i] -= lr * s;
    }
    return 0;
}

/* v = alpha v + (1 - alpha) d^2;  r = sqrt(v - mean^2) + eps;  b = momentum b + d / r;  p -= lr b
 *
 * Called with constants for the two pointers that may be NULL, so that each of the four loops is vector code. */
INLINE void NAME(rmsprop_loop)(const struct step_job *job, size begin, size end, int centered, int with_momentum) {
    const real sign = (real)job->sign, decay = (real)job->decay, lr = (real)job->lr, eps = (real)job->eps;
    const real keep = (real)job->keep2, rest = (real)job->rest2, momentum = (real)job->momentum;
    const int inside = job->inside;
    const real *restrict g = job->g;
    real *restrict p = job->p, *restrict v = job->first, *restrict mean = job->second, *restrict b = job->third;
    for (size i = begin; i < end; i++) {
        const real d = NAME(descent)(sign, g[i], decay, p[i]);
        const real v_new = keep * v[i] + rest * d * d;
        real s = v_new;
        v[i] = v_new;
        if (centered) {
            const real mean_new = mean[i] + rest * (d - mean[i]);
            mean[i] = mean_new;
            s -= mean_new * mean_new;
            s = s < 0 ? 0 : s;
        }
        const real r = inside ? NAME(sqrt)(s + eps) : NAME(sqrt)(s) + eps;
        if (with_momentum) {
            const real b_new = momentum * b[i] + d / r;
            b[i] = b_new;
            p[i] -= lr * b_new;
        } else {
            p[i] -= lr * d / r;
        }
    }
}

static int NAME(rmsprop_step)(const void *job_, size begin, size end) {
    const struct step_job *job = job_;
    if (job->second && job->third) NAME(rmsprop_loop)(job, begin, end, 1, 1);
    else if (job->second) NAME(rmsprop_loop)(job, begin, end, 1, 0);
    else if (job->third) NAME(rmsprop_loop)(job, begin, end, 0, 1);
    else NAME(rmsprop_loop)(job, begin, end, 0, 0);
    return 0;
}

/* m += (1 - beta1)(d - m);  u = max(beta2 u, |d| + eps);  p -= lr / c1  m / u, with lr / c1 in lr */
static int NAME(adamax_step)(const void *job_, size begin, size end) {
    const struct step_job *job = job_;
    const real sign = (real)job->sign, decay = (real)job->decay, lr = (real)job->lr, eps = (real)job->eps;
    const real rest = (real)job->rest1, keep = (real)job->keep2;
    const real *restrict g = job->g;
    real *restrict p = job->p, *restrict m = job->first, *restrict u = job->second;
    for (size i = begin; i < end; i++) {
        const real d = NAME(descent)(sign, g[i], decay, p[i]);
        const real m_new = m[i] + rest * (d - m[i]);
        const real old = keep * u[i], now = (d < 0 ? -d : d) + eps;
        const real u_new = old > now || old != old ? old : now; /* NaN stays */
        m[i] = m_new;
        u[i] = u_new;
        p[i] -= lr * m_new / u_new;
    }
    return 0;
}

/* m += (1 - beta1)(d - m);  v = beta2 v + (1 - beta2) d^2
 * p = shrink p - (by_gradient d + by_mean m) / (sqrt(v) + eps)
 *
 * is Adam, NAdam and RAdam, depending on the numbers, which hold the corrections of the two means; the divisor is 1 where
 * it is not adaptive. As above, constants for what is left out make each loop vector code. */
INLINE void NAME(adam_loop)(const struct step_job *job, size begin, size end, int amsgrad, int ahead, int adaptive) {
    const real sign = (real)job->sign, decay = (real)job->decay, shrink = (real)job->shrink, eps = (real)job->eps;
    const real rest1 = (real)job->rest1, keep2 = (real)job->keep2, rest2 = (real)job->rest2;
    const real by_gradient = (real)job->by_gradient, by_mean = (real)job->by_mean;
    const real *restrict g = job->g;
    real *restrict p = job->p, *restrict m = job->first, *restrict v = job->second, *restrict v_max = job->third;
    for (size i = begin; i < end; i++) {
        const real d = NAME(descent)(sign, g[i], decay, p[i]);
        const real m_new = m[i] + rest1 * (d - m[i]);
        const real v_new = keep2 * v[i] + rest2 * d * d;
        real scale = v_new, step = by_mean * m_new;
        if (amsgrad) {
            scale = v_new <= v_max[i] || v_max[i] != v_max[i] ? v_max[i] : v_new; /* NaN stays */
            v_max[i] = scale;
        }
        m[i] = m_new;
        v[i] = v_new;
        if (ahead) step += by_gradient * d;
        if (adaptive) step /= NAME(sqrt)(scale) + eps;
        p[i] = p[i] * shrink - step;
    }
}

static int NAME(adam_step)(const void *job_, size begin, size end) {
    const struct step_job *job = job_;
    if (job->third) NAME(adam_loop)(job, begin, end, 1, 0, 1);
    else if (job->by_gradient != 0) NAME(adam_loop)(job, begin, end, 0, 1, 1);
    else if (job->adaptive) NAME(adam_loop)(job, begin, end, 0, 0, 1);
    else NAME(adam_loop)(job, begin, end, 0, 0, 0);
    return 0;
}
