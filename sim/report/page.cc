// SPDX-License-Identifier: MIT
// Text, tables and SVG in one file; a policy in its head forbids every request.
#include "sim/report/page.h"

#include <fmt/format.h>

#include <algorithm>

#include "sim/report/numbers.h"
#include "sim/report/page_style.h"
#include "sim/report/svg.h"

namespace mcusim::report {
namespace {

// A table of the page. Kinds of cells: l is words, n figures, s a share with its bar.
class HtmlTable {
 public:
  HtmlTable(std::string kinds, const std::vector<std::string>& titles) : kinds_(std::move(kinds)) {
    for (size_t i = 0; i < titles.size(); ++i)
      head_ += fmt::format("<th{} scope=\"col\">{}</th>", is_words(i) ? " class=\"l\"" : "", html_escape(titles[i]));
  }
  void add(const std::vector<std::string>& cells) { body_ += row(cells); }
  void total(const std::vector<std::string>& cells) { foot_ += row(cells); }
  std::string html() const {
    return "<div class=\"scroll\"><table><thead><tr>" + head_ + "</tr></thead><tbody>\n" + body_ + "</tbody>" +
           (foot_.empty() ? "" : "<tfoot>" + foot_ + "</tfoot>") + "</table></div>\n";
  }

 private:
  bool is_words(size_t column) const { return kinds_[column] == 'l'; }
  std::string row(const std::vector<std::string>& cells) const {
    std::string out = "<tr>";
    for (size_t i = 0; i < cells.size(); ++i) {
      const std::string words = html_escape(cells[i]);
      if (kinds_[i] == 's' && !words.empty()) out += fmt::format("<td class=\"share\" style=\"--p:{0}\">{0}</td>", words);
      else out += (is_words(i) ? "<td class=\"l\">" : "<td>") + words + "</td>";
    }
    return out + "</tr>\n";
  }
  std::string kinds_, head_, body_, foot_;
};

std::string some(uint64_t value) { return value ? grouped(value) : ""; }

std::string layers_table(const Run& run) {
  HtmlTable table("nllnnnnsnnnnnl", {"id", "name", "op", "in/w/out", "output", "MACs", "cycles", "share", "cyc/MAC",
                                    "instructions", "IPC", "weights B", "live B", "largest stall"});
  for (const auto& l : run.layers)
    table.add({l.op_index < 0 ? "" : fmt::format("{}", l.layer_id), l.name, l.op, widths(l), l.shape, some(l.macs),
               grouped(l.cycles), percent(l.cycles, run.cycles), ratio(l.cycles, l.macs), grouped(l.instructions),
               ratio(l.instructions, l.cycles), some(l.weight_bytes), some(l.live_activation_bytes), stalls(l.causes, l.cycles, 1)});
  uint64_t weights = 0, live = 0;
  for (const auto& l : run.layers) weights += l.weight_bytes, live = std::max(live, l.live_activation_bytes);
  table.total({"", "total (live: most)", "", "", "", some(run.macs), grouped(run.cycles), percent(run.cycles, run.cycles),
               ratio(run.cycles, run.macs), grouped(run.instructions), ratio(run.instructions, run.cycles), some(weights), some(live),
               stalls(run.causes, run.cycles, 1)});
  return table.html();
}

std::string functions_table(const Run& run) {
  constexpr size_t kMost = 30;
  HtmlTable table("lnnnnsl", {"function", "address", "instructions", "IPC", "cycles", "share", "largest stalls"});
  Function rest;
  for (size_t i = 0; i < run.functions.size(); ++i) {
    const Function& f = run.functions[i];
    if (i < kMost) {
      table.add({short_function(f.name), fmt::format("0x{:08x}", f.address), grouped(f.instructions),
                 ratio(f.instructions, f.cycles), grouped(f.cycles), percent(f.cycles, run.cycles), stalls(f.causes, f.cycles, 2)});
      continue;
    }
    rest.instructions += f.instructions;
    rest.cycles += f.cycles;
    for (size_t c = 0; c < kCauseCount; ++c) rest.causes[c] += f.causes[c];
  }
  if (run.functions.size() > kMost)
    table.add({fmt::format("{} more", run.functions.size() - kMost), "", grouped(rest.instructions), ratio(rest.instructions, rest.cycles),
               grouped(rest.cycles), percent(rest.cycles, run.cycles), stalls(rest.causes, rest.cycles, 2)});
  table.total({"total", "", grouped(run.instructions), ratio(run.instructions, run.cycles), grouped(run.cycles),
               percent(run.cycles, run.cycles), stalls(run.causes, run.cycles, 2)});
  return table.html();
}

std::string causes_table(const Run& run) {
  HtmlTable table("lns", {"cause", "cycles", "share"});
  for (size_t i = 0; i < kCauseCount; ++i)
    if (run.causes[i])
      table.add({cause_name(static_cast<Cause>(i)), grouped(run.causes[i]), percent(run.causes[i], run.cycles)});
  table.total({"total", grouped(run.cycles), percent(run.cycles, run.cycles)});
  return table.html();
}

std::string memories_table(const Run& run) {
  HtmlTable table("llnnnns", {"memory", "use", "address", "planned B", "peak B", "limit B", "used"});
  for (const auto& m : run.memories)
    table.add({m.region, m.use, m.address ? fmt::format("0x{:08x}", m.address) : "", some(m.planned_bytes), grouped(m.peak_bytes),
               some(m.limit_bytes), m.limit_bytes ? percent(m.peak_bytes, m.limit_bytes) : ""});
  return table.html();
}

std::string plan_words(const Run& run) {
  for (const auto& m : run.memories)
    if (m.use == "arena" && run.arena_bytes_8bit && m.planned_bytes < run.arena_bytes_8bit)
      return fmt::format("<p>The bit plan saved {} of {} bytes of arena ({}).</p>\n", grouped(run.arena_bytes_8bit - m.planned_bytes),
                         grouped(run.arena_bytes_8bit), percent(run.arena_bytes_8bit - m.planned_bytes, run.arena_bytes_8bit));
  return "";
}

std::string accuracy(const Run& run) {
  std::string out = fmt::format("<p>Cycles are simulated. Error band against measured hardware: {}.</p>\n<p>{} constants of the timing "
                                "table have no published source",
                                html_escape(run.error_band), run.timing_guesses);
  if (run.cycles_high)
    out += fmt::format("; over their ranges the total lies between {} and {} cycles ({:+.2f}% to {:+.2f}%)", grouped(run.cycles_low),
                       grouped(run.cycles_high), 100 * (share(run.cycles_low, run.cycles) - 1), 100 * (share(run.cycles_high, run.cycles) - 1));
  return out + ".</p>\n";
}

std::string environment(const Run& run) {
  std::string out = "<dl>";
  const std::pair<const char*, std::string> facts[] = {
      {"program", run.program}, {"CRC-32", run.program_crc32}, {"input", run.input}, {"board", run.board}, {"clocks", run.clock},
      {"mcusim", run.tool_version}, {"engine", run.engine}, {"timing table", run.timing_table}, {"verify", run.verify}};
  for (const auto& [what, value] : facts)
    if (!value.empty()) out += fmt::format("<dt>{}</dt><dd>{}</dd>\n", what, html_escape(value));
  for (const auto& note : run.notes) out += fmt::format("<dt>note</dt><dd>{}</dd>\n", html_escape(note));
  return out + "</dl>\n";
}

std::string tiles(const Run& run) {
  std::string out = "<div class=\"tiles\">";
  const auto tile = [&](const std::string& value, const std::string& what) {
    out += fmt::format("<div><b>{}</b><span>{}</span></div>", html_escape(value), html_escape(what));
  };
  tile(grouped(run.cycles), "cycles");
  tile(fmt::format("{:.3f} ms", milliseconds(run, run.cycles)), fmt::format("at {:g} MHz", static_cast<double>(run.core_hz) / 1e6));
  tile(ratio(run.instructions, run.cycles), "instructions per cycle");
  if (run.macs) tile(ratio(run.cycles, run.macs), "cycles per MAC");
  if (run.image_bytes) tile(short_bytes(run.image_bytes), "flash");
  for (const auto& m : run.memories)
    if (m.use == "arena") tile(short_bytes(m.peak_bytes), "arena");
  return out + "</div>\n";
}

// A part of the page, and its place in the navigation.
struct Section {
  std::string id, title, body;
  bool is_long = false;   // may be cut by a page break in print
};

std::vector<Section> sections(const Run& run) {
  std::vector<Section> out;
  for (const auto& chart : charts(run)) {
    std::string body = fmt::format("<figure><figcaption>{}</figcaption><div class=\"scroll\">{}</div></figure>\n",
                                   html_escape(chart.caption), chart.svg);
    if (chart.id == "memory") body += memories_table(run);
    if (chart.id == "ram_plan") body = plan_words(run) + body;
    out.push_back({chart.id, chart.title, body, chart.id == "layers" && run.layers.size() > 30});
  }
  if (!run.layers.empty()) out.push_back({"layer_table", "Layers", layers_table(run), true});
  if (!run.functions.empty()) out.push_back({"function_table", "Functions", functions_table(run), true});
  if (run.cycles) out.push_back({"causes", "Causes", causes_table(run)});
  if (!run.timing_table.empty()) out.push_back({"accuracy", "How far to trust it", accuracy(run)});
  out.push_back({"environment", "Environment", environment(run)});
  return out;
}

}  // namespace

bool ended_well(const Run& run) {
  const bool meant = run.end.empty() || run.end == "exited" || run.end == "until_text" || run.end == "until_pc";
  return meant && run.exit_code == 0 && (run.verify.empty() || run.verify.starts_with("all "));
}

std::string to_html(const Run& run) {
  std::string nav, body;
  if (!ended_well(run))
    body += fmt::format("<section class=\"alarm\"><h2>The run did not end well</h2><p>{}{}</p><p>{}</p></section>\n", html_escape(run.end),
                        run.message.empty() ? "" : ": " + html_escape(run.message), html_escape(run.verify));
  for (const auto& section : sections(run)) {
    nav += fmt::format("<a href=\"#{}\">{}</a>", section.id, html_escape(section.title));
    body += fmt::format("<section id=\"{}\"{}><h2>{}</h2>\n{}</section>\n", section.id, section.is_long ? " class=\"long\"" : "",
                        html_escape(section.title), section.body);
  }
  return fmt::format(
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:\">"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>{0} on {1}</title><link rel=\"icon\" href=\"data:,\">"
      "<style>{2}</style></head>\n<body>\n<header><h1>{0} <small>on {1}, {3}</small></h1>\n{4}</header>\n"
      "<nav aria-label=\"Sections\"><div>{5}</div></nav>\n<main>\n{6}</main>\n<footer>mcusim {7}, timing table {8}</footer>\n"
      "<div id=\"tip\" aria-hidden=\"true\"></div>\n<script>{9}</script>\n</body></html>\n",
      html_escape(title_of(run)), html_escape(run.board), kPageStyle, html_escape(run.clock), tiles(run), nav, body,
      html_escape(run.tool_version), html_escape(run.timing_table), kPageScript);
}

}  // namespace mcusim::report
