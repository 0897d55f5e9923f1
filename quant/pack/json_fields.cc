// SPDX-License-Identifier: MIT
#include "quant/pack/json_fields.h"

#include <cmath>
#include <limits>

#include "memmap/base/error.h"

namespace mcusim {

using Json = nlohmann::ordered_json;

int64_t json_integer(const Json& value, int64_t least, int64_t most, const std::string& place) {
  const bool too_large =
      value.is_number_unsigned() && value.get<uint64_t>() > static_cast<uint64_t>(INT64_MAX);
  if (!value.is_number_integer() || too_large)
    throw Error("{}: {} is not an integer", place, value.dump());
  const auto number = value.get<int64_t>();
  if (number < least || number > most)
    throw Error("{}: {} is not in {}..{}", place, number, least, most);
  return number;
}

JsonFields::JsonFields(const Json& object, std::string place)
    : object_(object), place_(std::move(place)) {
  if (!object.is_object()) throw Error("{}: not a JSON object", place_);
}

const Json& JsonFields::value(const char* key) {
  asked_.insert(key);
  const auto found = object_.find(key);
  if (found == object_.end()) throw Error("{}: \"{}\" is missing", place_, key);
  return *found;
}

int64_t JsonFields::integer(const char* key, int64_t least, int64_t most) {
  return json_integer(value(key), least, most, fmt::format("{}: \"{}\"", place_, key));
}

bool JsonFields::boolean(const char* key) {
  const Json& found = value(key);
  if (!found.is_boolean()) throw Error("{}: \"{}\" is not true or false", place_, key);
  return found.get<bool>();
}

float JsonFields::real(const char* key) {
  const Json& found = value(key);
  const double number = found.is_number() ? found.get<double>() : std::nan("");
  if (!(std::abs(number) <= std::numeric_limits<float>::max()))
    throw Error("{}: \"{}\" is not a float32 number", place_, key);
  return static_cast<float>(number);
}

std::string JsonFields::text(const char* key) {
  const Json& found = value(key);
  if (!found.is_string()) throw Error("{}: \"{}\" is not a string", place_, key);
  return found.get<std::string>();
}

std::vector<int64_t> JsonFields::integers(const char* key, size_t count, int64_t least,
                                          int64_t most) {
  const Json& found = value(key);
  const std::string at = fmt::format("{}: \"{}\"", place_, key);
  if (!found.is_array() || (count != 0 && found.size() != count))
    throw Error("{}: not a list{}", at, count ? fmt::format(" of {} integers", count) : "");
  std::vector<int64_t> values;
  for (const Json& item : found) values.push_back(json_integer(item, least, most, at));
  return values;
}

void JsonFields::finish() const {
  for (const auto& [key, unused] : object_.items())
    if (!asked_.contains(key)) throw Error("{}: unknown key \"{}\"", place_, key);
}

}  // namespace mcusim
