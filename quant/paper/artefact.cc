// SPDX-License-Identifier: MIT
#include "quant/paper/artefact.h"

#include <filesystem>

#include "memmap/base/error.h"
#include "memmap/base/file.h"

namespace mcusim::paper {
namespace {

constexpr std::pair<Origin, const char*> kOrigins[] = {
    {Origin::definition, "given"},    {Origin::planned, "planned"},   {Origin::built, "built"},
    {Origin::simulated, "simulated"}, {Origin::measured, "measured"}, {Origin::published, "published"},
};

// RFC 4180.
std::string csv_cell(const std::string& text) {
  if (text.find_first_of(",\"\n") == std::string::npos) return text;
  std::string out = "\"";
  for (const char c : text) out += c == '"' ? "\"\"" : std::string(1, c);
  return out + "\"";
}

std::string heading(const Column& column) {
  return column.origin == Origin::definition ? column.title
                                             : fmt::format("{} ({})", column.title, origin_name(column.origin));
}

std::string markdown_row(const std::vector<std::string>& cells) {
  std::string line = "|";
  for (const auto& cell : cells) {
    line += " ";
    for (const char c : cell) line += c == '|' ? "\\|" : std::string(1, c);
    line += " |";
  }
  return line + "\n";
}

}  // namespace

const char* origin_name(Origin origin) {
  for (const auto& [value, name] : kOrigins)
    if (value == origin) return name;
  return "";
}

void Table::add(std::vector<std::string> row) {
  check(row.size() == columns.size(), "a table row has one cell per column");
  rows.push_back(std::move(row));
}

std::string to_csv(const Table& table) {
  std::string out;
  const auto line = [&](const auto& cells, const auto& text_of) {
    for (size_t i = 0; i < cells.size(); ++i) out += (i ? "," : "") + csv_cell(text_of(cells[i]));
    out += "\n";
  };
  line(table.columns, heading);
  for (const auto& row : table.rows) line(row, [](const std::string& cell) { return cell; });
  return out;
}

std::string to_markdown(const Page& page) {
  std::string out = fmt::format("# {}\n\n{}\n\n", page.title, page.introduction);
  out += "Each column says where its numbers are from: *planned* by the papers' byte model, *built*: bytes of "
         "files that were made, *simulated*: cycles of the emulated board, *measured*: integer arithmetic on the "
         "data given, *published*: by the paper, not produced here.\n";
  for (const auto& table : page.tables) {
    out += fmt::format("\n## {}\n\n{}\n\n", table.title, table.caption);
    std::vector<std::string> titles, rules;
    for (const auto& column : table.columns) {
      titles.push_back(heading(column));
      rules.push_back("---");
    }
    out += markdown_row(titles) + markdown_row(rules);
    for (const auto& row : table.rows) out += markdown_row(row);
    out += fmt::format("\n[{0}.csv]({0}.csv)\n", table.id);
  }
  for (const auto& figure : page.figures)
    out += fmt::format("\n## {}\n\n![{}]({}.svg)\n\n{}\n", figure.title, figure.title, figure.id, figure.caption);
  if (!page.needs_imagenet.empty()) {
    out += "\n## What needs ImageNet\n\nNot produced, because it needs the data set or networks trained on it:\n";
    for (const auto& item : page.needs_imagenet) out += "- " + item + "\n";
  }
  out += fmt::format("\nThe commands behind these numbers: [{0}_commands.txt]({0}_commands.txt), their files: `work/`.\n", page.paper);
  return out;
}

void write_page(const Page& page, const std::string& folder) {
  std::filesystem::create_directories(folder);
  for (const auto& table : page.tables) write_file(folder + "/" + table.id + ".csv", to_csv(table));
  for (const auto& figure : page.figures) write_file(folder + "/" + figure.id + ".svg", to_svg(figure));
  std::string commands;
  for (const auto& command : page.commands) commands += command + "\n";
  write_file(folder + "/" + page.paper + "_commands.txt", commands);
  write_file(folder + "/" + page.paper + ".md", to_markdown(page));
}

}  // namespace mcusim::paper
