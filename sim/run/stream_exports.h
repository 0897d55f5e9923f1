// SPDX-License-Identifier: MIT
// Exporters that write while the run goes on, to files of bounded size: one file and
// one row each.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "sim/report/report.h"
#include "sim/run/call_tree.h"
#include "sim/timing/estimator.h"

namespace mcusim {

// What exporters may say of the program.
struct ExportFacts {
  std::string program;
  CallTree::NameOf name_of;
  std::vector<report::Layer> layers;    // by operator index
};

class StreamExport : public TimedSink {
 public:
  // Function slices, where wanted.
  virtual SliceListener* slices() { return nullptr; }
  // Puts the file in place; `cycle` is the end of the run.
  virtual void finish(uint64_t cycle) = 0;
};

struct StreamExporter {
  const char* name;
  const char* help;
  std::unique_ptr<StreamExport> (*make)(const std::string& path, const ExportFacts& facts);
};
std::span<const StreamExporter> stream_exporters();

std::unique_ptr<StreamExport> make_chrome_export(const std::string& path, const ExportFacts& facts);
std::unique_ptr<StreamExport> make_tarmac_export(const std::string& path, const ExportFacts& facts);

}  // namespace mcusim
