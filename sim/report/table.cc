// SPDX-License-Identifier: MIT
#include "sim/report/table.h"

#include <fmt/format.h>

#include <algorithm>

#include "memmap/base/error.h"

namespace mcusim::report {

void Table::add(std::vector<std::string> row) {
  check(row.size() == columns_.size(), "a table row has one cell per column");
  rows_.push_back(std::move(row));
}

std::string Table::text(size_t screen_width) const {
  std::vector<size_t> widths;
  for (const auto& column : columns_) widths.push_back(column.title.size());
  for (const auto& row : rows_)
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());

  std::vector<bool> shown(columns_.size(), true);
  while (screen_width > 0) {
    size_t width = 0, least = columns_.size();
    for (size_t i = 0; i < columns_.size(); ++i) {
      if (!shown[i]) continue;
      width += widths[i] + 2;
      if (columns_[i].rank > 0 && (least == columns_.size() || columns_[i].rank > columns_[least].rank)) least = i;
    }
    if (width <= screen_width + 2 || least == columns_.size()) break;
    shown[least] = false;
  }

  auto line = [&](auto cell) {
    std::string out;
    for (size_t i = 0; i < columns_.size(); ++i) {
      if (!shown[i]) continue;
      out += columns_[i].align == Align::left ? fmt::format("{:<{}}  ", cell(i), widths[i])
                                              : fmt::format("{:>{}}  ", cell(i), widths[i]);
    }
    out.erase(out.find_last_not_of(' ') + 1);
    return out + "\n";
  };
  std::string out = line([&](size_t i) { return columns_[i].title; });
  for (const auto& row : rows_) out += line([&](size_t i) { return row[i]; });
  return out;
}

std::string csv_text(const std::string& text) {
  std::string out = "\"";
  for (char c : text) out += c == '"' ? "\"\"" : std::string(1, c);
  return out + "\"";
}

}  // namespace mcusim::report
