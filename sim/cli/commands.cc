// SPDX-License-Identifier: MIT
// The subcommand table of `mcusim`, in the order of --help.
#include "sim/cli/commands.h"

namespace mcusim::cli {

void add_boards(CLI::App& app, int* exit_code);
void add_image(CLI::App& app, int* exit_code);
void add_diff(CLI::App& app, int* exit_code);
void add_report(CLI::App& app, int* exit_code);
void add_run(CLI::App& app, int* exit_code);
void add_sweep(CLI::App& app, int* exit_code);
void add_trace(CLI::App& app, int* exit_code);
void add_replay(CLI::App& app, int* exit_code);
void add_inspect(CLI::App& app, int* exit_code);
void add_annotate(CLI::App& app, int* exit_code);

namespace {
constexpr Command kCommands[] = {
    {"run", add_run},
    {"sweep", add_sweep},
    {"boards", add_boards},
    {"image", add_image},
    {"diff", add_diff},
    {"report", add_report},
    {"trace", add_trace},
    {"replay", add_replay},
    {"inspect", add_inspect},
    {"annotate", add_annotate},
};
}  // namespace

std::span<const Command> commands() { return kCommands; }

}  // namespace mcusim::cli
