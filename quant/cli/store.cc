// SPDX-License-Identifier: MIT
#include "quant/cli/store.h"

#include <fmt/format.h>

#include "kernels/net_format.h"
#include "memmap/base/bytes.h"
#include "memmap/base/file.h"

namespace mcusim::net_cli {

void print_notes(const NetFile& file) {
  for (const auto& note : file.notes) fmt::print(stderr, "note: {}\n", note);
}

void store(const NetFile& file, const std::string& output) {
  write_file(output, file.container);
  print_notes(file);
  const auto header = ByteReader(file.container, output).at<net::Header>(0);
  fmt::print("{}: {} B, {} operators, arena {} B, scratch {} B\n", output, file.container.size(),
             header.op_count, header.arena_bytes, header.scratch_bytes);
}

}  // namespace mcusim::net_cli
