// SPDX-License-Identifier: MIT
// Whole files in and out. Writing is atomic: a temporary beside the target,
// flushed, then renamed, so a full disk never leaves half a file over a good one.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace mcusim {

std::vector<uint8_t> read_file(const std::string& path);  // throws Error
std::string read_text_file(const std::string& path);      // throws Error
void write_file(const std::string& path, std::span<const uint8_t> bytes);
void write_file(const std::string& path, const std::string& text);

// Directory that holds boards/ and firmware/: MCUSIM_HOME if set, else relative
// to the running program (build tree or installed), so the tree can be moved.
std::string data_directory();
// Path of the sibling program `name` beside the running one.
std::string sibling_program(const std::string& name);

}  // namespace mcusim
