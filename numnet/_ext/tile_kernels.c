/* The tiles, for one instruction set. */
#include "isa.h"

#define REAL_BITS 32
#include "real.h"
#include "tiles.h"
#include "tile.h"

#undef REAL_BITS
#define REAL_BITS 64
#include "real.h"
#include "tiles.h"
#include "tile.h"
