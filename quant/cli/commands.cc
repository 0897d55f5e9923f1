// SPDX-License-Identifier: MIT
// The subcommand table of `mcusim-net`, in the order of --help.
#include "quant/cli/commands.h"

namespace mcusim::net_cli {

void add_convert(CLI::App& app, int* exit_code);
void add_eval(CLI::App& app, int* exit_code);
void add_info(CLI::App& app, int* exit_code);
void add_pack(CLI::App& app, int* exit_code);
void add_paper(CLI::App& app, int* exit_code);
void add_plan(CLI::App& app, int* exit_code);
void add_quantize(CLI::App& app, int* exit_code);
void add_unpack(CLI::App& app, int* exit_code);
void add_zoo(CLI::App& app, int* exit_code);

namespace {
constexpr Command kCommands[] = {
    {"convert", add_convert},
    {"eval", add_eval},
    {"info", add_info},
    {"pack", add_pack},
    {"unpack", add_unpack},
    {"plan", add_plan},
    {"quantize", add_quantize},
    {"zoo", add_zoo},
    {"paper", add_paper},
};
}  // namespace

std::span<const Command> commands() { return kCommands; }

}  // namespace mcusim::net_cli
