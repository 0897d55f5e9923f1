// SPDX-License-Identifier: MIT
// No script, no network: the page is text, tables and SVG. Details open by keyboard;
// dark mode and print are CSS.
#include "sim/report/page.h"

#include <fmt/format.h>

#include <iterator>

namespace mcusim::report {
namespace {

constexpr const char* kStyle = R"(
:root{--ink:#222;--paper:#fff;--rule:#999;--empty:#e4e4e4;--faint:#666}
@media (prefers-color-scheme:dark){:root{--ink:#e6e6e6;--paper:#16181c;--rule:#777;--empty:#33373d;--faint:#aaa}}
@media print{:root{--ink:#000;--paper:#fff;--rule:#999;--empty:#e4e4e4;--faint:#444}details{display:block}}
body{font:15px/1.45 sans-serif;color:var(--ink);background:var(--paper);max-width:900px;margin:2em auto;padding:0 1em}
h1{font-size:1.5em}h2{font-size:1.15em;margin-top:2em;border-bottom:1px solid var(--rule)}
table{border-collapse:collapse;font-size:13px;width:100%}
th,td{padding:2px 8px;text-align:right;border-bottom:1px solid var(--empty)}th.l,td.l{text-align:left}
.sum{display:flex;gap:2em;flex-wrap:wrap}.sum b{font-size:1.35em;display:block}.faint{color:var(--faint)}
svg{max-width:100%;height:auto}nav a{margin-right:1em;color:inherit}:focus-visible{outline:2px solid #4477aa}
.scroll{overflow-x:auto}figure{margin:1em 0;break-inside:avoid}
)";

double share(uint64_t part, uint64_t whole) {
  return whole ? static_cast<double>(part) / static_cast<double>(whole) : 0;
}

std::string figure(const std::string& value, const std::string& what) {
  return fmt::format("<div><b>{}</b>{}</div>", html_escape(value), html_escape(what));
}

std::string layers_table(const Run& run) {
  std::string out = "<div class=\"scroll\"><table><thead><tr><th>id</th><th class=\"l\">name</th><th class=\"l\">op</th>"
                    "<th>in/w/out</th><th>output</th><th>MACs</th><th>instructions</th><th>cycles</th>"
                    "<th>cycles/MAC</th><th>share</th></tr></thead><tbody>\n";
  for (const auto& layer : run.layers)
    out += fmt::format("<tr><td>{}</td><td class=\"l\">{}</td><td class=\"l\">{}</td><td>{}</td><td>{}</td><td>{}</td>"
                       "<td>{}</td><td>{}</td><td>{}</td><td>{:.1f}%</td></tr>\n",
                       layer.op_index < 0 ? "" : fmt::format("{}", layer.layer_id), html_escape(layer.name),
                       html_escape(layer.op),
                       layer.op_index < 0 ? "" : fmt::format("{}/{}/{}", layer.in_bits, layer.weight_bits, layer.out_bits),
                       html_escape(layer.shape), layer.macs, layer.instructions, layer.cycles,
                       layer.macs ? fmt::format("{:.2f}", share(layer.cycles, layer.macs)) : "",
                       100 * share(layer.cycles, run.cycles));
  return out + "</tbody></table></div>\n";
}

std::string functions_table(const Run& run) {
  std::string out = "<div class=\"scroll\"><table><thead><tr><th class=\"l\">function</th><th>instructions</th>"
                    "<th>cycles</th><th>share</th></tr></thead><tbody>\n";
  for (size_t i = 0; i < run.functions.size() && i < 20; ++i) {
    const auto& f = run.functions[i];
    out += fmt::format("<tr><td class=\"l\">{}</td><td>{}</td><td>{}</td><td>{:.1f}%</td></tr>\n",
                       html_escape(f.name), f.instructions, f.cycles, 100 * share(f.cycles, run.cycles));
  }
  return out + "</tbody></table></div>\n";
}

std::string section(const std::string& id, const std::string& title, const std::string& body) {
  return fmt::format("<section id=\"{}\"><h2>{}</h2>\n{}</section>\n", id, html_escape(title), body);
}

std::string title_of(const Run& run) { return run.network.empty() ? run.program : run.network; }

}  // namespace

std::vector<Chart> charts(const Run& run) {
  std::vector<Chart> out;
  for (auto make : {layers_chart, memory_chart, arena_chart, roofline_chart})
    if (Chart chart = make(run); !chart.svg.empty()) out.push_back(std::move(chart));
  return out;
}

std::string to_html(const Run& run) {
  const auto pictures = charts(run);
  std::string nav, body;
  for (const auto& chart : pictures) {
    nav += fmt::format("<a href=\"#{}\">{}</a>", chart.id, html_escape(chart.title));
    body += section(chart.id, chart.title,
                    fmt::format("<figure>{}<figcaption class=\"faint\">{}</figcaption></figure>\n", chart.svg,
                                html_escape(chart.caption)));
  }
  if (!run.layers.empty()) body += section("table", "Layers", layers_table(run));
  if (!run.functions.empty()) body += section("functions", "Functions", functions_table(run));
  std::string facts;
  for (const auto& [what, value] : {std::pair{"program", run.program + " (CRC-32 " + run.program_crc32 + ")"},
                                    {"input", run.input}, {"engine", run.engine}, {"mcusim", run.tool_version},
                                    {"timing table", run.timing_table}, {"verify", run.verify}})
    if (!value.empty()) facts += fmt::format("<li>{}: {}</li>\n", what, html_escape(value));
  for (const auto& note : run.notes) facts += fmt::format("<li>{}</li>\n", html_escape(note));
  body += section("environment", "Environment", "<ul>" + facts + "</ul>\n");
  const std::string sum =
      figure(fmt::format("{}", run.cycles), "cycles") + figure(fmt::format("{:.3f} ms", run.seconds() * 1e3), run.clock) +
      figure(fmt::format("{}", run.instructions), "instructions") +
      (run.macs ? figure(fmt::format("{:.2f}", share(run.cycles, run.macs)), "cycles per MAC") : std::string());
  return fmt::format(
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
      "content=\"width=device-width\"><meta name=\"color-scheme\" content=\"light dark\"><title>{0} on {1}</title>"
      "<link rel=\"icon\" href=\"data:,\"><style>{2}</style></head><body>\n<h1>{0} on {1}</h1>\n<div class=\"sum\">{3}</div>\n"
      "<p class=\"faint\">Simulated, error band: {4}; {5} timing constants are guesses{6}.</p>\n<nav>{7}"
      "<a href=\"#environment\">Environment</a></nav>\n{8}</body></html>\n",
      html_escape(title_of(run)), html_escape(run.board), kStyle, sum, html_escape(run.error_band), run.timing_guesses,
      run.cycles_high ? fmt::format(", which span {} to {} cycles", run.cycles_low, run.cycles_high) : "", nav, body);
}

std::string to_markdown(const Run& run) {
  std::string out = fmt::format("### {} on {}\n\n**{} cycles = {:.3f} ms** ({}), {} instructions\n\n", title_of(run),
                                run.board, run.cycles, run.seconds() * 1e3, run.clock, run.instructions);
  out += "| memory | use | peak B | limit B |\n|---|---|---:|---:|\n";
  for (const auto& m : run.memories)
    out += fmt::format("| {} | {} | {} | {} |\n", m.region, m.use, m.peak_bytes, m.limit_bytes);
  if (!run.layers.empty()) {
    out += "\n<details><summary>Layers</summary>\n\n| id | name | MACs | cycles | share |\n|---:|---|---:|---:|---:|\n";
    for (const auto& layer : run.layers)
      out += fmt::format("| {} | {} | {} | {} | {:.1f}% |\n",
                         layer.op_index < 0 ? "" : fmt::format("{}", layer.layer_id), layer.name, layer.macs,
                         layer.cycles, 100 * share(layer.cycles, run.cycles));
    out += "\n</details>\n";
  }
  return out + fmt::format("\nTiming table {}, error band: {}\n", run.timing_table, run.error_band);
}

}  // namespace mcusim::report
