// SPDX-License-Identifier: MIT
// An annotation as text and JSON.
#pragma once

#include <string>

#include "sim/loader/source_lines.h"
#include "sim/run/annotation.h"

namespace mcusim::cli {

struct AnnotateOptions {
  bool loop_only = false;    // leave out what is not in the hot loop
  bool colour = false;
  size_t width = 100;        // of the screen, for the timeline
};

std::string annotation_text(const Annotation& annotation, const SourceLines& sources, const AnnotateOptions& options);
std::string annotation_json(const Annotation& annotation, const SourceLines& sources);

}  // namespace mcusim::cli
