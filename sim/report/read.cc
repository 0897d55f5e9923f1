// SPDX-License-Identifier: MIT
// A report back from its JSON: the inverse of json.cc, refusing what it is not.
#include <nlohmann/json.hpp>

#include "memmap/base/error.h"
#include "sim/report/report.h"

namespace mcusim::report {
namespace {

using Json = nlohmann::json;

template <typename T>
T get(const Json& object, const char* key) {
  return object.at(key).get<T>();
}

// A key that reports had from their first day on is required; one that was added within
// the schema version is not: what it fills is then left as unknown.
template <typename T>
T get_added(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found == object.end() ? T{} : found->get<T>();
}

CauseCycles causes(const Json& object) {
  CauseCycles out{};
  for (const auto& [name, cycles] : object.items()) {
    size_t i = 0;
    while (i < kCauseCount && name != cause_name(static_cast<Cause>(i))) ++i;
    if (i == kCauseCount) throw Error("unknown cause '{}'", name);
    out[i] = cycles.get<uint64_t>();
  }
  return out;
}

Layer layer(const Json& in) {
  Layer out;
  out.op_index = get<int>(in, "op_index");
  out.layer_id = get<uint32_t>(in, "layer_id");
  out.name = get<std::string>(in, "name");
  out.op = get<std::string>(in, "op");
  out.in_bits = get<int>(in, "in_bits");
  out.weight_bits = get<int>(in, "weight_bits");
  out.out_bits = get<int>(in, "out_bits");
  out.shape = get<std::string>(in, "out_shape");
  out.macs = get<uint64_t>(in, "macs");
  out.instructions = get<uint64_t>(in, "instructions");
  out.cycles = get<uint64_t>(in, "cycles");
  out.weight_bytes = get<uint64_t>(in, "weight_bytes");
  out.live_activation_bytes = get<uint64_t>(in, "live_activation_bytes");
  out.weight_bytes_8bit = get_added<uint64_t>(in, "weight_bytes_8bit");
  out.live_activation_bytes_8bit = get_added<uint64_t>(in, "live_activation_bytes_8bit");
  out.data_bytes = get<uint64_t>(in, "data_bytes");
  out.causes = causes(in.at("causes"));
  return out;
}

Function function(const Json& in) {
  return {get<std::string>(in, "name"), get<uint32_t>(in, "address"), get<uint64_t>(in, "instructions"),
          get<uint64_t>(in, "cycles"), causes(in.at("causes"))};
}

Memory memory(const Json& in) {
  return {get<std::string>(in, "region"), get<std::string>(in, "use"), get<uint64_t>(in, "planned_bytes"),
          get<uint64_t>(in, "peak_bytes"), get<uint64_t>(in, "limit_bytes"), get_added<uint32_t>(in, "address")};
}

Region region(const Json& in) {
  return {get<std::string>(in, "name"), get<uint32_t>(in, "address"), get<uint64_t>(in, "size_bytes")};
}

ArenaSlot slot(const Json& in) {
  return {get<std::string>(in, "tensor"), get<uint64_t>(in, "offset_bytes"), get<uint64_t>(in, "size_bytes"),
          get<uint32_t>(in, "first_op"), get<uint32_t>(in, "last_op")};
}

Prediction prediction(const Json& in) {
  return {get<uint32_t>(in, "index"), get<int32_t>(in, "stored"), get<double>(in, "value")};
}

template <typename Row>
std::vector<Row> rows(const Json& in, Row (*convert)(const Json&)) {
  std::vector<Row> out;
  for (const auto& item : in) out.push_back(convert(item));
  return out;
}

Run read(const Json& in) {
  Run run;
  run.tool_version = get<std::string>(in.at("tool"), "version");
  run.engine = get<std::string>(in.at("tool"), "engine");
  run.board = get<std::string>(in.at("board"), "name");
  run.clock = get<std::string>(in.at("board"), "clock");
  run.core_hz = get<uint64_t>(in.at("board"), "core_hz");
  if (in.at("board").contains("regions")) run.regions = rows<Region>(in.at("board").at("regions"), region);
  const Json& timing = in.at("timing");
  run.timing_table = get<std::string>(timing, "table");
  run.timing_guesses = get<uint32_t>(timing, "guesses");
  run.cycles_low = get<uint64_t>(timing, "cycles_low");
  run.cycles_high = get<uint64_t>(timing, "cycles_high");
  run.error_band = get<std::string>(timing, "error_band");
  const Json& program = in.at("program");
  run.program = get<std::string>(program, "file");
  run.program_crc32 = get<std::string>(program, "crc32");
  run.network = get<std::string>(program, "network");
  run.input = get<std::string>(program, "input");
  run.container_bytes = get<uint64_t>(program, "container_bytes");
  run.image_bytes = get<uint64_t>(program, "image_bytes");
  run.code_bytes = get<uint64_t>(program, "code_bytes");
  run.arena_bytes_8bit = get_added<uint64_t>(program, "arena_bytes_8bit");
  run.end = get<std::string>(in.at("end"), "reason");
  run.exit_code = get<int>(in.at("end"), "exit_code");
  run.message = get<std::string>(in.at("end"), "message");
  const Json& totals = in.at("totals");
  run.instructions = get<uint64_t>(totals, "instructions");
  run.cycles = get<uint64_t>(totals, "cycles");
  run.macs = get<uint64_t>(totals, "macs");
  run.causes = causes(totals.at("causes"));
  run.layers = rows<Layer>(in.at("layers"), layer);
  run.is_network = !run.layers.empty();
  run.functions = rows<Function>(in.at("functions"), function);
  run.memories = rows<Memory>(in.at("memory"), memory);
  run.arena = rows<ArenaSlot>(in.at("arena"), slot);
  run.top = rows<Prediction>(in.at("top"), prediction);
  run.verify = get<std::string>(in, "verify");
  run.notes = get<std::vector<std::string>>(in, "notes");
  return run;
}

}  // namespace

Run from_json(const std::string& text, const std::string& name) {
  try {
    const Json in = Json::parse(text);
    if (!in.is_object() || in.value("schema", "") != "mcusim.run")
      throw Error("no schema \"mcusim.run\"");
    if (const int version = get<int>(in, "schema_version"); version != kSchemaVersion)
      throw Error("schema version {}, this program reads {}", version, kSchemaVersion);
    return read(in);
  } catch (const Json::exception& error) {
    throw Error("{}: not a run report: {}", name, error.what());
  } catch (const Error& error) {
    throw Error("{}: not a run report: {}", name, error.what());
  }
}

}  // namespace mcusim::report
