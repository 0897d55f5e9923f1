// SPDX-License-Identifier: MIT
// What the charts are drawn with: SVG elements as text, and scales.
//
// Colours are CSS variables with light fallbacks, so that a page can switch them. A mark
// (mark()) carries its words as <title>: for pointers, for screen readers, and for the
// page's script, which shows them at keyboard focus too.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace mcusim::report {

inline constexpr double kChartWidth = 960, kCharacterWidth = 7;  // px, at 12 px of a wide sans-serif
inline constexpr const char* kInk = "var(--ink,#1f2328)";
inline constexpr const char* kFaint = "var(--faint,#59636e)";
inline constexpr const char* kRule = "var(--rule,#d1d9e0)";
inline constexpr const char* kEmpty = "var(--empty,#eef1f4)";
inline constexpr const char* kPaper = "var(--paper,#ffffff)";
inline constexpr const char* kAccent = "#3b76b8";
inline constexpr const char* kWarning = "#c0325a";

enum class Anchor { start, middle, end };

std::string html_escape(const std::string& text);

std::string open_svg(double height, const std::string& title);
std::string close_svg();
std::string text(double x, double y, const std::string& words, Anchor anchor = Anchor::start,
                 const char* fill = kInk, double size_px = 12);
std::string line(double x1, double y1, double x2, double y2, const char* stroke = kRule, const char* dash = "");
std::string rectangle(double x, double y, double w, double h, const std::string& fill, const std::string& attributes = "");
// A group that explains itself: `body` with `words` as title; `data` is attributes for scripts.
std::string mark(const std::string& words, const std::string& body, const std::string& data = "");

// Steps of 1, 2 or 5 times powers of ten between two numbers.
std::vector<double> log_ticks(double least, double most);
// Round steps from 0 to at least `most`, about `count` of them; steps of bytes are of KiB.
std::vector<uint64_t> ticks(uint64_t most, int count, bool is_bytes = false);

// Labels under the columns of a chart, as many as have room.
std::string column_axis(double left, double width, double y, const std::vector<std::string>& labels, const std::string& title);

}  // namespace mcusim::report
