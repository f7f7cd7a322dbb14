/* Nothing but multiply-adds in registers: what one core can do at most. WIDTH is the bytes of a vector register. */
typedef float vector __attribute__((vector_size(WIDTH)));

enum { CHAINS = 12, LANES = WIDTH / sizeof(float) }; /* more chains than multiply-adds in flight at once */

double operations(long rounds) { return 2.0 * rounds * CHAINS * LANES; }

float multiply_add(long rounds) {
    vector sums[CHAINS], factor = {0}, term = {0};
    factor += 0.999999f;
    term += 1e-6f;
    for (int i = 0; i < CHAINS; i++) sums[i] = term * (float)i;
    for (long round = 0; round < rounds; round++)
#pragma GCC unroll 12
        for (int i = 0; i < CHAINS; i++) sums[i] = sums[i] * factor + term;
    float total = 0;
    for (int i = 0; i < CHAINS; i++) total += sums[i][0];
    return total;
}
