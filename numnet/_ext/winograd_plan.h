/* Which convolutions Winograd's method (winograd.h) is for, and their geometry. */
#ifndef NUMNET_WINOGRAD_PLAN_H
#define NUMNET_WINOGRAD_PLAN_H

#include "isa.h"
#include "products_kernels.h"

#define VALUES 36 /* of a tile of 6 × 6 */

typedef struct {
    size images, channels, filters;      /* channels are summed over */
    size height, width;                  /* of the source */
    size above, left;                    /* zeros around it */
    size out_height, out_width;
    size edge;                           /* of a tile of results: 4, or 2 for a window of 5 × 5 */
    size tile_rows, tile_columns, tiles; /* tiles: of all images */
    size weight_filter, weight_channel;  /* strides in the weights */
    int turned;                          /* is the window turned by 180 degrees? */
} winograd_plan;

/* Is it a window of 3 × 3 or 5 × 5 that moves by 1 over an image? */
static inline int winograd_fits(const conv_shape *s) {
    size side = s->kernel[2];
    int fits = (side == 3 || side == 5) && s->groups == 1;
    fits &= s->in[0] == 1 && s->kernel[0] == 1 && s->out[0] == 1 && s->before[0] == 0;
    for (int a = 1; a < 3; a++)
        fits &= s->kernel[a] == side && s->stride[a] == 1 && s->dilation[a] == 1 && s->before[a] < side;
    return fits;
}

/* Is it faster? Counted in multiply-adds for each pair of a channel and a filter: to find the values of a tile takes as long
 * as 250 of them for each channel, and for each filter; those of a window as long as 300. */
static inline int winograd_pays(winograd_plan *p) {
    size side = 7 - p->edge;
    p->tile_rows = divide_up(p->out_height, p->edge);
    p->tile_columns = divide_up(p->out_width, p->edge);
    p->tiles = p->images * p->tile_rows * p->tile_columns;
    double plain = (double)(side * side) * (double)p->images * (double)p->out_height * (double)p->out_width;
    double tile = VALUES + 250.0 / (double)p->channels + 250.0 / (double)p->filters;
    return p->channels >= 16 && p->filters >= 16 && plain > 1.5 * (tile * (double)p->tiles + 300);
}

/* z = W · x, if it fits and pays */
static inline int plan_winograd(const conv_shape *s, winograd_plan *plan) {
    *plan = (winograd_plan){
        .images = s->images,
        .channels = s->channels,
        .filters = s->filters,
        .height = s->in[1],
        .width = s->in[2],
        .above = s->before[1],
        .left = s->before[2],
        .out_height = s->out[1],
        .out_width = s->out[2],
        .edge = 7 - s->kernel[2],
        .weight_filter = s->channels * s->kernel[1] * s->kernel[2],
        .weight_channel = s->kernel[1] * s->kernel[2],
    };
    return winograd_fits(s) && winograd_pays(plan);
}

/* δx = Wᵀ · δ, if it fits and pays */
static inline int plan_winograd_delta_x(const conv_shape *s, winograd_plan *plan) {
    *plan = (winograd_plan){
        .images = s->images,
        .channels = s->filters,
        .filters = s->channels,
        .height = s->out[1],
        .width = s->out[2],
        .above = s->kernel[1] - 1 - s->before[1],
        .left = s->kernel[2] - 1 - s->before[2],
        .out_height = s->in[1],
        .out_width = s->in[2],
        .edge = 7 - s->kernel[2],
        .weight_filter = s->kernel[1] * s->kernel[2],
        .weight_channel = s->channels * s->kernel[1] * s->kernel[2],
        .turned = 1,
    };
    return winograd_fits(s) && winograd_pays(plan);
}

#endif
