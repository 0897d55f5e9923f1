// SPDX-License-Identifier: MIT
// Forms of a run report that other tools read: one function and one row each.
#pragma once

#include <span>
#include <string>

#include "sim/report/report.h"

namespace mcusim::report {

struct ReportExporter {
  const char* name;
  const char* help;
  std::string (*write)(const Run&);
};
std::span<const ReportExporter> report_exporters();

}  // namespace mcusim::report
