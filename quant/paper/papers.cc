// SPDX-License-Identifier: MIT
#include "quant/paper/papers.h"

namespace mcusim::paper {
namespace {
constexpr Paper kPapers[] = {
    {"rusci2019", "Memory-driven mixed low precision quantization (Rusci, Capotondi, Benini; arXiv 1905.13082)",
     rusci2019},
    {"rusci2020", "Automated mixed-low-precision quantization for tiny edge microcontrollers (Rusci, Fariselli, Capotondi, "
                  "Benini; arXiv 2008.05124)", rusci2020},
};
}  // namespace

std::span<const Paper> papers() { return kPapers; }

}  // namespace mcusim::paper
