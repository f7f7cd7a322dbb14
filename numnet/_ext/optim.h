/* d = g + weight_decay p;  b = momentum b + (1 - dampening) d;  p -= lr (nesterov ? d + momentum b : b) */
static int NAME(sgd_step)(const void *job_, size begin, size end) {
    const struct sgd_job *job = job_;
    const real lr = (real)job->lr, decay = (real)job->weight_decay;
    const real momentum = (real)job->momentum, keep = (real)(1 - job->dampening);
    const real sign = job->maximize ? -1 : 1;
    const real *restrict g = job->g;
    real *restrict p = job->p, *restrict buffer = job->buffer;
    if (!buffer) {
        for (size i = begin; i < end; i++) p[i] -= lr * (decay != 0 ? sign * g[i] + decay * p[i] : sign * g[i]);
    } else {
        for (size i = begin; i < end; i++) {
            const real d = decay != 0 ? sign * g[i] + decay * p[i] : sign * g[i];
            const real b = job->first ? d : momentum * buffer[i] + keep * d;
            buffer[i] = b;
            p[i] -= lr * (job->nesterov ? d + momentum * b : b);
        }
    }
    return 0;
}

/* m += (1 - beta1)(d - m);  v = beta2 v + (1 - beta2) d^2;  p = shrink p - lr / c1  m / (sqrt(v) / sqrt(c2) + eps)
 *
 * with c = 1 - beta^step, and step_size = lr / c1, root_c2 = sqrt(c2) worked out once. */
static int NAME(adam_step)(const void *job_, size begin, size end) {
    const struct adam_job *job = job_;
    const real rest1 = (real)(1 - job->beta1), beta2 = (real)job->beta2, rest2 = (real)(1 - job->beta2);
    const real step_size = (real)job->step_size, root_c2 = (real)job->root_c2, eps = (real)job->eps;
    const real shrink = (real)job->shrink, decay = (real)job->weight_decay;
    const real sign = job->maximize ? -1 : 1;
    const real *restrict g = job->g;
    real *restrict p = job->p, *restrict m = job->m, *restrict v = job->v, *restrict v_max = job->v_max;
    for (size i = begin; i < end; i++) {
        const real d = decay != 0 ? sign * g[i] + decay * p[i] : sign * g[i];
        const real m_new = m[i] + rest1 * (d - m[i]);
        const real v_new = beta2 * v[i] + rest2 * d * d;
        real scale = v_new;
        if (v_max) {
            scale = v_new <= v_max[i] || v_max[i] != v_max[i] ? v_max[i] : v_new; /* NaN stays */
            v_max[i] = scale;
        }
        m[i] = m_new;
        v[i] = v_new;
        p[i] = p[i] * shrink - step_size * m_new / (NAME(sqrt)(scale) / root_c2 + eps);
    }
    return 0;
}
