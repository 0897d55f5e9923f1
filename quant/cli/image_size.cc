// SPDX-License-Identifier: MIT
#include "quant/cli/image_size.h"

#include <filesystem>
#include <nlohmann/json.hpp>

#include "memmap/base/error.h"
#include "memmap/base/file.h"
#include "memmap/base/process.h"

namespace mcusim::net_cli {
namespace {

// Without the programs' own names and the temporary path.
std::string cause(std::string text, const std::string& net) {
  if (const size_t at = text.find("mcusim: "); at != text.npos) text.erase(0, at + 8);
  if (const size_t at = text.find(net + ": "); at != text.npos) text.erase(at, net.size() + 2);
  return text;
}

}  // namespace

ImageSize image_size(const std::vector<uint8_t>& container, const std::string& board) {
  ImageSize size{container.size(), 0, ""};
  const TemporaryDirectory folder;
  const std::string net = folder.file("net.bin"), facts = folder.file("image.json");
  write_file(net, container);
  try {
    // The tool runs in the folder; a board of the user's own is a path from here.
    const std::string where =
        board.ends_with(".toml") ? std::filesystem::absolute(board).string() : board;
    run_tool({sibling_program("mcusim"), "image", net, "--board", where, "-o",
              folder.file("image.elf"), "--json", facts},
             folder.path());
    const auto json = nlohmann::json::parse(read_text_file(facts), nullptr, false);
    if (json.is_object()) size.image_bytes = json.value("image_bytes", uint64_t{0});
    if (size.image_bytes == 0) size.unknown = "mcusim image of another version";
  } catch (const Error& error) {
    size.unknown = cause(error.what(), net);
  }
  return size;
}

}  // namespace mcusim::net_cli
