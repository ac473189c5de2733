/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Random and spoilt frames, the same from the same seed everywhere. */
#ifndef TESTS_BPF_LIB_MUTATE_H
#define TESTS_BPF_LIB_MUTATE_H

#include "frame.h"

/* Not 0. */
void mutate_seed(uint64_t seed);
/* 0 to n - 1. */
uint32_t draw(uint32_t n);
#define PICK(array) (array)[draw(ARRAY_SIZE(array))]

/* A frame to build: something that the box serves, or anything. */
void mutate_draw(struct frame_spec *ret_spec);
/* A few bytes changed, mostly where headers are; perhaps cut. */
void mutate_spoil(struct frame *f);
/* Random bytes, 14 to `max` of them, mostly with an ethertype that is parsed. */
void mutate_bytes(struct frame *ret_frame, size_t max);

#endif
