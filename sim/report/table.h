// SPDX-License-Identifier: MIT
// Plain-text tables: columns as wide as their widest cell, two spaces between. Where a
// screen is too narrow, columns of the highest rank are left out first; rank 0 stays.
#pragma once

#include <string>
#include <vector>

namespace mcusim::report {

enum class Align { right, left };

struct Column {
  std::string title;
  Align align = Align::right;
  int rank = 0;
};

class Table {
 public:
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}
  void add(std::vector<std::string> row);  // one cell per column
  std::string text(size_t screen_width = 0) const;  // 0: as wide as it is

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

// A text cell of a CSV file (RFC 4180): quotes around it, doubled inside.
std::string csv_text(const std::string& text);

}  // namespace mcusim::report
