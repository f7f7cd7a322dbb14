/* The geometry of a convolution, the same for every element type.
 *
 * Forward and backward with respect to x are one operation: at every position of a grid, filters meet what they see,
 *
 *     out[row, position] = Σ_taps A[row, tap] · frame[offset[tap] + position · read]
 *
 * where `frame` is a copy of the source with its border of zeros. Backward at stride s falls into s phases per axis: the
 * elements of x at a distance of s from each other see the same taps, so each phase is a product of its own.
 *
 * Columns of a frame that a stride s will visit together lie together: column w at (w mod s) · pitch + w / s. */
#ifndef NUMNET_SLIDE_PLAN_H
#define NUMNET_SLIDE_PLAN_H

#include "isa.h"
#include "products_kernels.h"

typedef struct {
    size from[3];   /* the source */
    size before[3]; /* zeros before it; negative: elements of it left out */
    size extent[3]; /* the frame */
    size split;     /* the s above */
    size pitch, row, plane, volume;
} frame_plan;

typedef struct {
    size grid[3];
    size write;            /* where position (0, 0, 0) goes within an output channel */
    size taps;             /* over all channels of a group */
    size *offset, *weight; /* of each tap: in the frame, and in the weights of a row */
} slide_phase;

typedef struct {
    size images, groups;
    size rows, channels;        /* per group: output and source channels */
    size in_volume, out_volume; /* elements of a channel */
    frame_plan frame;
    int in_place; /* the source itself serves as frame */
    size read[3], write[3];
    size weight_group, weight_row; /* strides in the weights */
    int in_order;                  /* are the weights of a row those of its taps, one after the other? */
    size phases, taps;             /* taps: of all phases */
    slide_phase *phase;
    void *memory;
} slide_plan;

static inline size frame_at(const frame_plan *f, size d, size h, size w) {
    return d * f->plane + h * f->row + w % f->split * f->pitch + w / f->split;
}

/* Sets what follows from from, before, extent and split. Are the frames of so many channels of a size that a machine can
 * hold? Their bytes for a few hundred images and a few thousand threads are then counted without overflow. */
static inline int frame_layout(frame_plan *f, size channels) {
    double volume = (double)f->extent[0] * (double)f->extent[1] * ((double)f->extent[2] + (double)f->split);
    if (volume * (double)channels > 1e12) return 0;
    f->pitch = divide_up(f->extent[2], f->split);
    f->row = f->pitch * f->split;
    f->plane = f->extent[1] * f->row;
    f->volume = f->extent[0] * f->plane;
    return 1;
}

static inline int plan_memory(slide_plan *plan, size phases, size taps) {
    plan->phases = phases;
    plan->taps = taps;
    plan->memory = plan->phase =
        scratch(phases * (size)sizeof(slide_phase) + 2 * taps * (size)sizeof(size));
    return plan->memory != NULL;
}

/* Does a window of one pixel, which moves by 1, see the channels of that pixel and nothing else? */
static inline int is_pointwise(const conv_shape *s) {
    int pointwise = 1;
    for (int a = 0; a < 3; a++)
        pointwise &= s->kernel[a] == 1 && s->stride[a] == 1 && s->before[a] == 0 && s->out[a] == s->in[a];
    return pointwise;
}

/* Then neighbours do not matter, and the image is one row. */
static inline conv_shape flattened(conv_shape s) {
    if (is_pointwise(&s)) {
        s.in[2] = s.out[2] = s.in[0] * s.in[1] * s.in[2];
        s.in[0] = s.in[1] = s.out[0] = s.out[1] = 1;
    }
    return s;
}

/* Is there one window along this axis, which sees all of it once? */
static inline int is_covered(const conv_shape *s, int axis) {
    return s->out[axis] == 1 && s->before[axis] == 0 && s->kernel[axis] == s->in[axis] &&
           (s->kernel[axis] == 1 || s->dilation[axis] == 1);
}

/* Covered axes in front are channels. Where all are, this is a linear layer, whose rows are images. */
static inline conv_shape covered_as_channels(conv_shape s) {
    for (int a = 0; a < 3 && is_covered(&s, a); a++) {
        s.channels *= s.in[a];
        s.in[a] = s.kernel[a] = s.stride[a] = s.dilation[a] = 1;
    }
    return s;
}

static inline int is_linear(const conv_shape *s) {
    int linear = 1;
    for (int a = 0; a < 3; a++) linear &= s->in[a] == 1 && is_covered(s, a);
    return linear;
}

/* Is the frame no different from the source? */
static inline int is_source(const frame_plan *f) {
    int same = f->split == 1;
    for (int a = 0; a < 3; a++) same &= f->before[a] == 0 && f->extent[a] == f->from[a];
    return same;
}

/* z = W · x */
static int plan_conv(const conv_shape *shape, slide_plan *plan) {
    conv_shape s = flattened(*shape);
    size window = s.kernel[0] * s.kernel[1] * s.kernel[2], channels = s.channels / s.groups;
    *plan = (slide_plan){
        .images = s.images,
        .groups = s.groups,
        .rows = s.filters / s.groups,
        .channels = channels,
        .in_volume = s.in[0] * s.in[1] * s.in[2],
        .out_volume = s.out[0] * s.out[1] * s.out[2],
        .write = {s.out[1] * s.out[2], s.out[2], 1},
        .weight_row = channels * window,
        .weight_group = s.filters / s.groups * channels * window,
        .in_order = 1,
    };
    frame_plan *f = &plan->frame;
    f->split = s.stride[2];
    for (int a = 0; a < 3; a++) {
        f->from[a] = s.in[a];
        f->before[a] = s.before[a];
        f->extent[a] = (s.out[a] - 1) * s.stride[a] + (s.kernel[a] - 1) * s.dilation[a] + 1;
    }
    if (!frame_layout(f, channels) || !plan_memory(plan, 1, channels * window)) return 0;
    plan->in_place = is_source(f) && window == 1;
    plan->read[0] = s.stride[0] * f->plane;
    plan->read[1] = s.stride[1] * f->row;
    plan->read[2] = 1;

    slide_phase *p = plan->phase;
    *p = (slide_phase){.grid = {s.out[0], s.out[1], s.out[2]}, .taps = plan->taps, .offset = (size *)(p + 1)};
    p->weight = p->offset + p->taps;
    size k = 0;
    for (size c = 0; c < channels; c++)
        for (size d = 0; d < s.kernel[0]; d++)
            for (size h = 0; h < s.kernel[1]; h++)
                for (size w = 0; w < s.kernel[2]; w++, k++) {
                    p->offset[k] = c * f->volume +
                                   frame_at(f, d * s.dilation[0], h * s.dilation[1], w * s.dilation[2]);
                    p->weight[k] = k;
                }
    return 1;
}

/* The taps of an axis that reach the elements x[q · stride + r] of phase r, and from which output, q + shift: those from
 * `first` on, in steps of `step`, fewer than `end`. Shifts fall by `fall` from one of them to the next. */
typedef struct {
    size first, step, end, shift, fall;
} reaching_taps;

static inline reaching_taps taps_that_reach(const conv_shape *s, int axis, size r) {
    const size stride = s->stride[axis], dilation = s->dilation[axis], end = s->kernel[axis];
    const size back = dilation % stride; /* in the phases, from a tap to the next */
    size first = 0, divisor = stride;
    for (size rest = (r + s->before[axis]) % stride; rest != 0 && first < end; first++)
        rest += rest < back ? stride - back : -back;
    for (size rest = back; rest > 0;) { /* the greatest that stride and dilation share */
        const size next = divisor % rest;
        divisor = rest, rest = next;
    }
    return (reaching_taps){.first = first, .step = stride / divisor, .end = end,
                           .shift = (r + s->before[axis] - first * dilation) / stride, .fall = dilation / divisor};
}

static inline size how_many(reaching_taps t) { return divide_up(t.end - t.first, t.step); }

/* Of a single output the stride means nothing; so long, a phase has one tap at most. */
static inline conv_shape with_phases(const conv_shape *shape) {
    conv_shape s = flattened(*shape);
    for (int a = 0; a < 3; a++)
        if (s.out[a] == 1) s.stride[a] = max_size(s.stride[a], s.in[a] + s.before[a]);
    return s;
}

/* Multiply-adds that δx so takes, for each filter and channel: taps times positions, in whole vectors, of all phases. */
static double work_of_delta_x(const conv_shape *shape, size lanes) {
    const conv_shape s = with_phases(shape);
    double work = 1;
    for (int a = 0; a < 3; a++) {
        double along = 0;
        for (size r = 0; r < min_size(s.stride[a], s.in[a]); r++) {
            const size grid = divide_up(s.in[a] - r, s.stride[a]);
            along += (double)(a == 2 ? divide_up(grid, lanes) * lanes : grid) * (double)how_many(taps_that_reach(&s, a, r));
        }
        work *= along;
    }
    return work;
}

/* δx = Wᵀ · δ */
static int plan_delta_x(const conv_shape *shape, slide_plan *plan) {
    const conv_shape s = with_phases(shape);
    size window = s.kernel[0] * s.kernel[1] * s.kernel[2];
    size channels = s.channels / s.groups, filters = s.filters / s.groups;
    *plan = (slide_plan){
        .images = s.images,
        .groups = s.groups,
        .rows = channels,
        .channels = filters,
        .in_volume = s.out[0] * s.out[1] * s.out[2],
        .out_volume = s.in[0] * s.in[1] * s.in[2],
        .write = {s.stride[0] * s.in[1] * s.in[2], s.stride[1] * s.in[2], s.stride[2]},
        .weight_row = window,
        .weight_group = filters * channels * window,
    };
    frame_plan *f = &plan->frame;
    f->split = 1;
    size phases[3], lowest[3];
    for (int a = 0; a < 3; a++) {
        phases[a] = min_size(s.stride[a], s.in[a]);
        lowest[a] = PTRDIFF_MAX;
        size end = 1;
        for (size r = 0; r < phases[a]; r++) {
            const reaching_taps t = taps_that_reach(&s, a, r);
            if (!how_many(t)) continue;
            lowest[a] = min_size(lowest[a], t.shift - (how_many(t) - 1) * t.fall);
            end = max_size(end, divide_up(s.in[a] - r, s.stride[a]) + t.shift);
        }
        if (lowest[a] == PTRDIFF_MAX) lowest[a] = 0;
        f->from[a] = s.out[a];
        f->before[a] = -lowest[a];
        f->extent[a] = max_size(end - lowest[a], 1);
    }
    if (!frame_layout(f, filters) || !plan_memory(plan, phases[0] * phases[1] * phases[2], filters * window)) return 0;
    plan->in_place = is_source(f) && window == 1;
    plan->read[0] = f->plane;
    plan->read[1] = f->row;
    plan->read[2] = 1;

    slide_phase *p = plan->phase;
    size *memory = (size *)(p + plan->phases);
    for (size rd = 0; rd < phases[0]; rd++) {
        const reaching_taps td = taps_that_reach(&s, 0, rd);
        for (size rh = 0; rh < phases[1]; rh++) {
            const reaching_taps th = taps_that_reach(&s, 1, rh);
            for (size rw = 0; rw < phases[2]; rw++, p++) {
                *p = (slide_phase){
                    .grid = {divide_up(s.in[0] - rd, s.stride[0]), divide_up(s.in[1] - rh, s.stride[1]),
                             divide_up(s.in[2] - rw, s.stride[2])},
                    .write = (rd * s.in[1] + rh) * s.in[2] + rw,
                };
                const reaching_taps tw = taps_that_reach(&s, 2, rw);
                p->taps = filters * how_many(td) * how_many(th) * how_many(tw);
                p->offset = memory;
                p->weight = memory + p->taps;
                memory += 2 * p->taps;
                size k = 0;
                for (size c = 0; c < filters; c++)
                    for (size d = td.first, at_d = td.shift - lowest[0]; d < td.end; d += td.step, at_d -= td.fall)
                        for (size h = th.first, at_h = th.shift - lowest[1]; h < th.end; h += th.step, at_h -= th.fall)
                            for (size w = tw.first, at_w = tw.shift - lowest[2]; w < tw.end;
                                 w += tw.step, at_w -= tw.fall, k++) {
                                p->offset[k] = c * f->volume + at_d * f->plane + at_h * f->row + at_w;
                                p->weight[k] = c * channels * window + (d * s.kernel[1] + h) * s.kernel[2] + w;
                            }
            }
        }
    }
    return 1;
}

#endif
