// SPDX-License-Identifier: MIT
// The files that well-known image sets come in, as arrays. IDX (MNIST and its kin)
// says itself what it holds; the binary CIFAR records do not, so they are asked for
// by array name. Unpacked files only.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "memmap/base/npy.h"

namespace mcusim {

bool is_idx(std::span<const uint8_t> bytes);
// Big-endian in the file, little-endian in the result. Throws Error for a wrong size.
NpyArray parse_idx(std::span<const uint8_t> bytes, const std::string& name);

// `array` is cifar10.x or cifar100.x (uint8, [n, 3, 32, 32]), cifar10.y, cifar100.fine or
// cifar100.coarse (uint8, [n]). Files of several batches may be concatenated.
bool is_cifar_array(const std::string& array);
NpyArray parse_cifar(std::span<const uint8_t> bytes, const std::string& array,
                     const std::string& name);

}  // namespace mcusim
