// SPDX-License-Identifier: MIT
// The parts of the structural validator; `validate` in int_net.h runs them in
// this order, and each relies on the ones before it.
#pragma once

#include "kernels/host/container.h"

namespace mcusim {

void check_tensors(const Container& c);    // shapes, strides, views, arena bounds
void check_operators(const Container& c);  // ids, shape arithmetic, rows, ranges
void check_blobs(const Container& c);      // bounds, overlaps, padding, contents
void check_schedule(const Container& c);   // every byte read was written, none while in use

// "net.bin: operator 3 'conv1'", for messages.
std::string place_of_op(const Container& c, size_t index);
std::string place_of_tensor(const Container& c, size_t index);

// A view as elements of its root tensor.
struct Window {
  uint32_t root = 0;
  uint32_t y = 0, x = 0, first_byte = 0;      // first_byte within the pixel
  uint32_t h = 0, w = 0, bytes = 0;           // bytes of each pixel
};
Window window_of(const Container& c, uint16_t id);

}  // namespace mcusim
