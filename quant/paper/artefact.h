// SPDX-License-Identifier: MIT
// What a paper's page holds: tables and figures as data, and where each number is
// from, so that nobody takes a model for a measurement.
#pragma once

#include <string>
#include <vector>

namespace mcusim::paper {

enum class Origin {
  definition,  // of the experiment: names, shapes, counts that follow from them
  planned,     // by the papers' byte model
  built,       // bytes of files and images that were made
  simulated,   // on the emulated board, cycles by the timing model
  measured,    // accuracy on the data given, bit-exact integer arithmetic
  published,   // by the paper; not produced here
};
const char* origin_name(Origin origin);

struct Column {
  std::string title;
  Origin origin = Origin::definition;
};

struct Table {
  std::string id, title, caption;
  std::vector<Column> columns;
  std::vector<std::vector<std::string>> rows;  // one cell per column

  void add(std::vector<std::string> row);      // checks the number of cells
};

struct Point {
  double x = 0, y = 0;
  std::string label;
};
struct Series {
  std::string name;
  std::vector<Point> points;
  bool line = false;
};
struct Figure {
  std::string id, title, caption, x_title, y_title;
  bool log_x = false, log_y = false;
  std::vector<Series> series;
};

struct Page {
  std::string paper, title, introduction;
  std::vector<Table> tables;
  std::vector<Figure> figures;
  std::vector<std::string> needs_imagenet;  // columns and figures that cannot be had without it
  std::vector<std::string> commands;        // that made the numbers, as one would type them
};

// PAPER.md, and a CSV per table and an SVG per figure, in `folder`. Throws Error.
void write_page(const Page& page, const std::string& folder);

std::string to_csv(const Table& table);
std::string to_markdown(const Page& page);
std::string to_svg(const Figure& figure);

}  // namespace mcusim::paper
